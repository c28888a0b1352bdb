package io.basin.data;

import io.basin.text.Reason;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads the binary version of CIFAR-10 and CIFAR-100, from a folder of {@code .bin} files or from the published
 * archive.
 *
 * <p>A record is one label byte (CIFAR-10) or a coarse and a fine one (CIFAR-100, of which the fine one is used),
 * then 3072 bytes: the planes of red, green and blue, 32 by 32 each. The planes are interleaved here, since the
 * engine's images are (N, H, W, C). The archive is read as a stream and never unpacked to disk, so no path in it can
 * lead anywhere.
 */
public final class CifarFormat {
    private static final int SIDE = 32;
    private static final int PLANE = SIDE * SIDE;
    private static final int CHANNELS = 3;
    private static final int IMAGE = CHANNELS * PLANE;

    /** The published archives hold 185 MB; a gzip file of their size could hold 170 GB. */
    private static final long ARCHIVE_CAP = 1L << 30;

    private static final String REMEDY =
            "Replace it by the binary version (not the Python one), or fetch the data set again";

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

    /**
     * Reads the {@code .bin} files in a folder.
     *
     * @throws DataException if a file is missing, cannot be read or is no CIFAR file
     */
    public TrainTest readFolder(Path folder, String name, List<String> classNames) {
        Map<String, byte[]> parts = new HashMap<>();
        for (String fileName : fileNames()) {
            Path file = folder.resolve(fileName);
            try (InputStream in = Files.newInputStream(file)) {
                long length = Files.size(file);
                checkLength(file.toString(), length);
                byte[] bytes = Capped.upTo(in, length);
                checkLength(file.toString(), bytes.length);
                parts.put(fileName, bytes);
            } catch (IOException e) {
                throw DataException.of(file.toString(), "cannot be read (" + Reason.of(e) + ")", REMEDY, e);
            }
        }
        return combine(parts, folder.toString(), name, classNames);
    }

    /**
     * Reads the {@code .bin} files in a tar archive, gzip or not; other files in it are ignored.
     *
     * @throws DataException if the archive is damaged or lacks a file, or if a file in it is no CIFAR file
     */
    public TrainTest readArchive(Path archive, String name, List<String> classNames) {
        try (InputStream in = Files.newInputStream(archive)) {
            return parse(in, archive.toString(), name, classNames);
        } catch (IOException e) {
            throw DataException.of(archive.toString(), "cannot be read (" + Reason.of(e) + ")", REMEDY, e);
        }
    }

    /** As {@link #readArchive}, from the archive's bytes. */
    TrainTest parse(byte[] archive, String archiveName, String name, List<String> classNames) {
        return parse(new ByteArrayInputStream(archive), archiveName, name, classNames);
    }

    private TrainTest parse(InputStream archive, String archiveName, String name, List<String> classNames) {
        Map<String, byte[]> parts = new HashMap<>();
        List<String> wanted = fileNames();
        try {
            TarReader tar = new TarReader(openArchive(archive), archiveName);
            for (TarReader.Entry entry = tar.next(); entry != null; entry = tar.next()) {
                if (wanted.contains(entry.name())) {
                    String where = archiveName + " (" + entry.name() + ")";
                    checkLength(where, entry.length());
                    if (parts.put(entry.name(), tar.content()) != null) {
                        throw DataException.of(where, "occurs twice", REMEDY);
                    }
                }
            }
        } catch (IOException e) {
            throw DataException.of(archiveName, "is damaged (" + Reason.of(e) + ")", REMEDY, e);
        }
        return combine(parts, archiveName, name, classNames);
    }

    /** The tar stream of an archive, decompressed and bounded; not closed by its readers. */
    static InputStream openArchive(InputStream archive) throws IOException {
        return new BufferedInputStream(Capped.stream(Capped.content(archive), ARCHIVE_CAP), 1 << 16);
    }

    private void checkLength(String file, long length) {
        int record = labelBytes + IMAGE;
        if (length < record || length % record != 0 || length > Capped.MAX_ARRAY) {
            throw DataException.of(
                    file, "has " + length + " bytes, which is no whole number of records of " + record, REMEDY);
        }
    }

    private TrainTest combine(Map<String, byte[]> parts, String where, String name, List<String> classNames) {
        for (String fileName : fileNames()) {
            if (!parts.containsKey(fileName)) {
                throw DataException.of(where, "lacks " + fileName, REMEDY);
            }
        }
        return new TrainTest(
                images(parts, trainFiles, where, name, classNames), images(parts, testFiles, where, name, classNames));
    }

    private ImageSet images(
            Map<String, byte[]> parts, List<String> files, String where, String name, List<String> classNames) {
        int record = labelBytes + IMAGE;
        long count = 0;
        for (String file : files) {
            count += parts.get(file).length / record;
        }
        if (count * IMAGE > Capped.MAX_ARRAY) {
            throw DataException.of(where, "holds " + count + " images, too many for one array", REMEDY);
        }
        byte[] pixels = new byte[(int) count * IMAGE]; // (N, H, W, C)
        int[] labels = new int[(int) count];
        int image = 0;
        for (String file : files) {
            byte[] bytes = parts.get(file);
            for (int at = 0; at < bytes.length; at += record, image++) {
                labels[image] = bytes[at + labelBytes - 1] & 0xFF;
                if (labels[image] >= classNames.size()) {
                    throw DataException.of(
                            where + " (" + file + ")",
                            "label " + labels[image] + " is not below " + classNames.size()
                                    + ", the number of classes of " + name,
                            REMEDY);
                }
                interleave(bytes, at + labelBytes, pixels, image * IMAGE);
            }
        }
        return new ImageSet(name, pixels, labels, SIDE, SIDE, CHANNELS, classNames);
    }

    private static void interleave(byte[] planes, int from, byte[] pixels, int to) {
        for (int p = 0; p < PLANE; p++) {
            for (int c = 0; c < CHANNELS; c++) {
                pixels[to++] = planes[from + c * PLANE + p];
            }
        }
    }
}
