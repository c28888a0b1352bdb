package io.basin.data;

import io.basin.text.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the binary version of CIFAR-10 and CIFAR-100, from a folder of {@code .bin} files or from the published archive.
 *
 * <p>A record is one label byte (CIFAR-10) or a coarse and a fine one (CIFAR-100, of which the fine one is used), then 3072 bytes:
 * the planes of red, green and blue, 32 by 32 each. The planes are interleaved here, since the engine's images are (N, H, W, C).
 * The archive is read as a stream and never unpacked to disk, so no path in it can lead anywhere.
 */
public final class CifarFormat {
    private static final int SIDE = 32;
    private static final int PLANE = SIDE * SIDE;
    private static final int CHANNELS = 3;
    private static final int IMAGE = CHANNELS * PLANE;

    private static final String REMEDY =
            "Replace it by the binary version (not the Python one), or get the published set with 'basin data fetch'";

    /** CIFAR-10: five training files and one test file. */
    public static final CifarFormat CIFAR10 = new CifarFormat(
            1,
            List.of("data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin", "data_batch_4.bin", "data_batch_5.bin"),
            List.of("test_batch.bin"));

    /** CIFAR-100: one training file and one test file; the fine labels. */
    public static final CifarFormat CIFAR100 = new CifarFormat(2, List.of("train.bin"), List.of("test.bin"));

    private final int labelBytes;
    private final List<String> trainFiles;
    private final List<String> testFiles;

    private CifarFormat(int labelBytes, List<String> trainFiles, List<String> testFiles) {
        this.labelBytes = labelBytes;
        this.trainFiles = trainFiles;
        this.testFiles = testFiles;
    }

    /** Names of the files, training files first. */
    public List<String> fileNames() {
        List<String> names = new ArrayList<>(trainFiles);
        names.addAll(testFiles);
        return List.copyOf(names);
    }

    /** Reads the {@code .bin} files in a folder. */
    public TrainTest readFolder(Path folder, String name, List<String> classNames) {
        Map<String, Part> parts = new HashMap<>();
        for (String fileName : fileNames()) {
            Path file = folder.resolve(fileName);
            try (InputStream in = Files.newInputStream(file)) {
                parts.put(fileName, records(in, Files.size(file), file.toString(), name, classNames));
            } catch (IOException e) {
                throw DataException.of(file.toString(), "cannot be read (" + Reason.of(e) + ")", REMEDY, e);
            }
        }
        return combine(parts, folder.toString(), name, classNames);
    }

    /** Reads the {@code .bin} files in a tar archive, gzip or not; other files in it are ignored. */
    public TrainTest readArchive(Path archive, String name, List<String> classNames) {
        try (InputStream in = Files.newInputStream(archive)) {
            return parse(in, Files.size(archive), archive.toString(), name, classNames);
        } catch (IOException e) {
            throw DataException.of(archive.toString(), "cannot be read (" + Reason.of(e) + ")", REMEDY, e);
        }
    }

    TrainTest parse(InputStream archive, long fileLength, String archiveName, String name, List<String> classNames) {
        Map<String, Part> parts = new HashMap<>();
        long[] total = {0};
        try {
            TarReader.read(archive, fileLength, archiveName, (path, length, content) -> {
                String file = path.substring(path.lastIndexOf('/') + 1);
                if (!fileNames().contains(file)) return;
                String where = archiveName + " (" + file + ")";
                total[0] += length;
                requirePossible(where, length, total[0], fileLength);
                Part part = records(content, length, where, name, classNames);
                if (parts.put(file, part) != null) throw DataException.of(where, "occurs twice", REMEDY);
            });
        } catch (IOException e) {
            throw DataException.of(archiveName, "is damaged (" + Reason.of(e) + ")", REMEDY, e);
        }
        return combine(parts, archiveName, name, classNames);
    }

    /** Images lie twice in memory while their parts are joined. */
    private void requirePossible(String file, long length, long total, long fileLength) {
        checkLength(file, length);
        if (2 * total > Capped.allowance(fileLength)) {
            throw DataException.of(
                    file,
                    "announces " + length + " bytes in an archive of " + fileLength + ", which no honest set does",
                    "If they are meant, unpack the archive and name its folder");
        }
    }

    private void checkLength(String file, long length) {
        int record = labelBytes + IMAGE;
        if (length < record || length % record != 0 || length > Capped.MAX_ARRAY) {
            throw DataException.of(
                    file, "has " + length + " bytes, which is not a whole number of records of " + record, REMEDY);
        }
    }

    /** One file's images, pixels (N, H, W, C) and labels (N). */
    private record Part(byte[] pixels, int[] labels) {}

    private Part records(InputStream in, long length, String where, String name, List<String> classNames)
            throws IOException {
        checkLength(where, length);
        byte[] record = new byte[labelBytes + IMAGE];
        int count = (int) (length / record.length);
        Part part = new Part(new byte[count * IMAGE], new int[count]);
        for (int i = 0; i < count; i++) {
            if (in.readNBytes(record, 0, record.length) < record.length) {
                throw DataException.of(where, "ends in the middle of a record", REMEDY);
            }
            int label = record[labelBytes - 1] & 0xFF;
            if (label >= classNames.size()) {
                throw DataException.of(
                        where,
                        "label " + label + " is not below " + classNames.size() + ", the number of classes of " + name,
                        REMEDY);
            }
            part.labels[i] = label;
            interleave(record, labelBytes, part.pixels, i * IMAGE);
        }
        return part;
    }

    private TrainTest combine(Map<String, Part> parts, String where, String name, List<String> classNames) {
        for (String fileName : fileNames()) {
            if (!parts.containsKey(fileName)) throw DataException.of(where, "lacks " + fileName, REMEDY);
        }
        return new TrainTest(
                name,
                images(trainFiles.stream().map(parts::get).toList(), where, name, classNames),
                images(testFiles.stream().map(parts::get).toList(), where, name, classNames));
    }

    private static Dataset images(List<Part> parts, String where, String name, List<String> classNames) {
        long count = parts.stream().mapToLong(p -> p.labels.length).sum();
        if (count * IMAGE > Capped.MAX_ARRAY) {
            throw DataException.of(where, "holds " + count + " images, too many for one array", REMEDY);
        }
        ByteBuffer pixels = ByteBuffer.allocate((int) count * IMAGE);
        IntBuffer labels = IntBuffer.allocate((int) count);
        for (Part part : parts) {
            pixels.put(part.pixels);
            labels.put(part.labels);
        }
        return new Dataset(name, pixels.array(), labels.array(), SIDE, SIDE, CHANNELS, classNames);
    }

    private static void interleave(byte[] planes, int from, byte[] pixels, int to) {
        for (int p = 0; p < PLANE; p++) {
            for (int c = 0; c < CHANNELS; c++) pixels[to++] = planes[from + c * PLANE + p];
        }
    }
}
