package io.basin.data;

import io.basin.text.Format;
import io.basin.text.Reason;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;

/**
 * Reads the IDX format of MNIST and its successors: one file of images, one of labels, gzip or not.
 *
 * <p>A header is the magic number 0x08 (unsigned bytes) with the number of dimensions, then each dimension as a
 * big-endian 32-bit number; the bytes follow. Compression is told by the content, not by the name. The header is
 * compared with the file's real length, and with what the caller needs, before anything is inflated or allocated.
 */
public final class IdxFormat {
    private static final String REMEDY =
            "Replace the file by an IDX file of unsigned bytes, or get the published set with 'basin data fetch'";

    private IdxFormat() {}

    /**
     * Reads images (IDX3, unsigned bytes) and their labels (IDX1, unsigned bytes).
     *
     * @param classNames one name per class; a label that has none is an error
     * @return images of shape (N, H, W, 1)
     */
    public static Dataset read(Path images, Path labels, String name, List<String> classNames) {
        try (Content pixels = Content.open(images, 3);
                Content classes = Content.open(labels, 1)) {
            return combine(pixels, classes, name, classNames);
        }
    }

    /**
     * Reads images alone: IDX3, or IDX4 (N, H, W, C) where there are several channels.
     *
     * @param like a set whose height, width and channels the images must have: compared before they are read
     * @return images labelled 0, since their labels are not known
     */
    public static Dataset images(Path file, Dataset like) {
        int channels = like.channels();
        try (Content pixels = Content.open(file, channels == 1 ? 3 : 4)) {
            int[] d = pixels.dimensions;
            if (channels > 1 && d[3] != channels) {
                throw DataException.of(file.toString(), "has " + d[3] + " channels, not " + channels, REMEDY);
            }
            if (d[1] != like.height() || d[2] != like.width()) {
                throw DataException.of(
                        file.toString(),
                        "is " + d[2] + " x " + d[1] + ", the net needs " + like.width() + " x " + like.height(),
                        "Name images of that size");
            }
            byte[] bytes = pixels.bytes();
            return like.with(file.toString(), bytes, new int[d[0]]);
        }
    }

    private static Dataset combine(Content pixels, Content classes, String name, List<String> classNames) {
        int count = pixels.dimensions[0];
        if (classes.dimensions[0] != count) {
            throw DataException.of(
                    classes.name,
                    "has " + classes.dimensions[0] + " labels for the " + count + " images of " + pixels.name,
                    "Use two files of the same set");
        }
        byte[] bytes = pixels.bytes();
        int[] labels = classes.labels();
        for (int i = 0; i < count; i++) {
            if (labels[i] >= classNames.size()) {
                throw DataException.of(
                        classes.name,
                        "label " + labels[i] + " of image " + i + " is not below " + classNames.size()
                                + ", the number of classes of " + name,
                        REMEDY);
            }
        }
        return new Dataset(name, bytes, labels, pixels.dimensions[1], pixels.dimensions[2], 1, classNames);
    }

    /** A file whose header has been read and proved possible; its bytes follow. */
    private static final class Content implements AutoCloseable {
        private final String name;
        private final InputStream in;
        private final int[] dimensions;
        private final long length;

        Content(InputStream file, long fileLength, String name, int rank) {
            this.name = name;
            try {
                BufferedInputStream raw = new BufferedInputStream(file, 1 << 16);
                boolean gzip = Capped.isGzip(raw);
                in = Capped.content(raw);
                dimensions = header(in, name, rank);
                long product = 1;
                for (int d : dimensions) product = product > Capped.MAX_ARRAY ? product : product * d;
                length = product;
                requirePossible(fileLength, gzip, rank);
            } catch (IOException e) {
                throw damaged(e);
            }
        }

        static Content open(Path file, int rank) {
            InputStream in = null;
            try {
                in = Files.newInputStream(file);
                return new Content(in, Files.size(file), file.toString(), rank);
            } catch (IOException e) {
                throw DataException.of(file.toString(), "cannot be read (" + Reason.of(e) + ")", REMEDY, e);
            } catch (RuntimeException e) {
                Capped.close(in);
                throw e;
            }
        }

        private void requirePossible(long fileLength, boolean gzip, int rank) {
            boolean tooShort = length > Capped.mostContent(fileLength, gzip) - 4 - 4L * rank;
            if (length > Capped.MAX_ARRAY || tooShort) {
                throw DataException.of(
                        name,
                        "is too short: its header announces " + announced() + ", and the file has " + fileLength
                                + (gzip ? " (compressed)" : ""),
                        REMEDY);
            }
            long memory = rank == 1 ? 4 * length : length + 4L * dimensions[0];
            if (memory > Capped.allowance(fileLength)) {
                throw DataException.of(
                        name,
                        "announces " + announced() + " in a file of " + fileLength + ", which no honest set does",
                        "If they are meant, decompress the file and use it as it is");
            }
        }

        private String announced() {
            return Arrays.toString(dimensions) + ", "
                    + (length > Capped.MAX_ARRAY ? "more than " + Capped.MAX_ARRAY : length) + " bytes";
        }

        byte[] bytes() {
            byte[] bytes = new byte[(int) length];
            try {
                requireEnd(in.readNBytes(bytes, 0, bytes.length) == length);
                return bytes;
            } catch (IOException e) {
                throw damaged(e);
            }
        }

        int[] labels() {
            int[] labels = new int[(int) length];
            try {
                int last = 0;
                for (int i = 0; i < labels.length && last >= 0; i++) labels[i] = last = in.read();
                requireEnd(last >= 0);
                return labels;
            } catch (IOException e) {
                throw damaged(e);
            }
        }

        private void requireEnd(boolean whole) throws IOException {
            if (whole && in.read() < 0) return;
            String fault = whole
                    ? "is longer than the " + length + " bytes that its header announces"
                    : "is too short: its header announces " + announced();
            throw DataException.of(name, fault, REMEDY);
        }

        private DataException damaged(IOException e) {
            return DataException.of(name, "is damaged (" + Reason.of(e) + ")", REMEDY, e);
        }

        @Override
        public void close() {
            Capped.close(in);
        }
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
                            + Format.of("%08x, not %08x", magic, 0x0800 | rank),
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
}
