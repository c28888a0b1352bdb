package io.basin.data;

import io.basin.text.Reason;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.zip.GZIPInputStream;

/**
 * Reads the IDX format of MNIST and its successors: one file of images, one of labels, gzip or not.
 *
 * <p>A header is the magic number 0x08 (unsigned bytes) with the number of dimensions, then each dimension as a
 * big-endian 32-bit number; the bytes follow. Compression is told by the content, not by the name. The header is
 * compared with the file's real length before anything is allocated.
 */
public final class IdxFormat {
    private static final String REMEDY =
            "Replace the file by an IDX file of unsigned bytes, or fetch the data set again";

    private IdxFormat() {}

    /**
     * Reads images (IDX3, unsigned bytes) and their labels (IDX1, unsigned bytes).
     *
     * @param classNames one name per class; a label that has none is an error
     * @return images of shape (N, H, W, 1)
     * @throws DataException if a file cannot be read or is not such a file, or if the two do not fit together
     */
    public static ImageSet read(Path images, Path labels, String name, List<String> classNames) {
        Array pixels = read(images, 3);
        Array classes = read(labels, 1);
        return combine(pixels, images.toString(), classes, labels.toString(), name, classNames);
    }

    /**
     * Reads images alone: IDX3, or IDX4 (N, H, W, C) where there are several channels.
     *
     * @return images labelled 0, since their labels are not known
     * @throws DataException if the file cannot be read, is not such a file, or has other channels
     */
    public static ImageSet images(Path file, int channels, List<String> classNames) {
        Array pixels = read(file, channels == 1 ? 3 : 4);
        int[] d = pixels.dimensions;
        if (channels > 1 && d[3] != channels) {
            throw DataException.of(file.toString(), "has " + d[3] + " channels, not " + channels, REMEDY);
        }
        return new ImageSet(file.toString(), pixels.bytes, new int[d[0]], d[1], d[2], channels, classNames);
    }

    /** As {@link #read(Path, Path, String, List)}, from the files' bytes; the file names are for messages. */
    static ImageSet parse(
            byte[] images, String imagesFile, byte[] labels, String labelsFile, String name, List<String> classNames) {
        Array pixels = parse(new java.io.ByteArrayInputStream(images), images.length, imagesFile, 3);
        Array classes = parse(new java.io.ByteArrayInputStream(labels), labels.length, labelsFile, 1);
        return combine(pixels, imagesFile, classes, labelsFile, name, classNames);
    }

    private static ImageSet combine(
            Array pixels, String imagesFile, Array classes, String labelsFile, String name, List<String> classNames) {
        int count = pixels.dimensions[0];
        if (classes.dimensions[0] != count) {
            throw DataException.of(
                    labelsFile,
                    "has " + classes.dimensions[0] + " labels for the " + count + " images of " + imagesFile,
                    "Use two files of the same set");
        }
        int[] labels = new int[count];
        for (int i = 0; i < count; i++) {
            labels[i] = classes.bytes[i] & 0xFF;
            if (labels[i] >= classNames.size()) {
                throw DataException.of(
                        labelsFile,
                        "label " + labels[i] + " of image " + i + " is not below " + classNames.size()
                                + ", the number of classes of " + name,
                        REMEDY);
            }
        }
        return new ImageSet(name, pixels.bytes, labels, pixels.dimensions[1], pixels.dimensions[2], 1, classNames);
    }

    private static Array read(Path file, int rank) {
        try (InputStream in = Files.newInputStream(file)) {
            return parse(in, Files.size(file), file.toString(), rank);
        } catch (IOException e) {
            throw DataException.of(file.toString(), "cannot be read (" + Reason.of(e) + ")", REMEDY, e);
        }
    }

    private static Array parse(InputStream file, long fileLength, String name, int rank) {
        try {
            BufferedInputStream in = new BufferedInputStream(file, 1 << 16);
            boolean gzip = Capped.isGzip(in);
            InputStream content = gzip ? new GZIPInputStream(in, 1 << 16) : in;
            int[] dimensions = header(content, name, rank);
            long length = 1;
            for (int dimension : dimensions) {
                length = length > Capped.MAX_ARRAY ? length : length * dimension;
            }
            int headerBytes = 4 + 4 * rank;
            if (length > Capped.MAX_ARRAY || length > Capped.mostContent(fileLength, gzip) - headerBytes) {
                throw tooShort(name, dimensions, length, fileLength, gzip);
            }
            byte[] bytes = Capped.upTo(content, length);
            if (bytes.length < length) {
                throw tooShort(name, dimensions, length, fileLength, gzip);
            }
            if (content.read() >= 0) {
                throw DataException.of(
                        name, "is longer than the " + length + " bytes that its header announces", REMEDY);
            }
            return new Array(dimensions, bytes);
        } catch (IOException e) {
            throw DataException.of(name, "is damaged (" + Reason.of(e) + ")", REMEDY, e);
        }
    }

    private static DataException tooShort(String name, int[] dimensions, long length, long fileLength, boolean gzip) {
        return DataException.of(
                name,
                "is too short: its header announces " + java.util.Arrays.toString(dimensions) + ", "
                        + (length > Capped.MAX_ARRAY ? "more than " + Capped.MAX_ARRAY : length)
                        + " bytes, and the file has " + fileLength + (gzip ? " (compressed)" : ""),
                REMEDY);
    }

    private static int[] header(InputStream content, String name, int rank) throws IOException {
        byte[] header = content.readNBytes(4 + 4 * rank);
        if (header.length < 4 + 4 * rank) {
            throw DataException.of(name, "is too short for an IDX" + rank + " header", REMEDY);
        }
        ByteBuffer buffer = ByteBuffer.wrap(header);
        int magic = buffer.getInt();
        if (magic != (0x0800 | rank)) {
            throw DataException.of(
                    name,
                    "is not an IDX" + rank + " file of unsigned bytes: it begins with "
                            + String.format(Locale.ROOT, "%08x, not %08x", magic, 0x0800 | rank),
                    REMEDY);
        }
        int[] dimensions = new int[rank];
        for (int i = 0; i < rank; i++) {
            dimensions[i] = buffer.getInt();
            if (dimensions[i] < 1) {
                throw DataException.of(
                        name,
                        "dimension " + i + " is " + Integer.toUnsignedString(dimensions[i])
                                + ", which is not in 1..2147483647",
                        REMEDY);
            }
        }
        return dimensions;
    }

    private record Array(int[] dimensions, byte[] bytes) {}
}
