package io.basin.data;

import io.basin.io.Sha256;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.zip.GZIPInputStream;

/**
 * Reading what may be hostile: compressed or not, without believing a length before the bytes are there.
 *
 * <p>A header of 16 bytes may promise gigabytes and a small gzip file may hold them. So arrays grow with what has
 * been read, and every stream has an end after which reading fails.
 */
final class Capped {
    /** Deflate cannot do better than 1032 : 1; the rest is room for its header. */
    private static final long BEST_RATIO = 1040;

    /** Largest array that every JVM can allocate. */
    static final long MAX_ARRAY = Integer.MAX_VALUE - 8;

    private static final int FIRST_CHUNK = 1 << 16;

    private Capped() {}

    /** Whether the stream begins with gzip's magic bytes; the stream stays at its start. */
    static boolean isGzip(BufferedInputStream in) throws IOException {
        in.mark(2);
        boolean gzip = in.read() == 0x1F && in.read() == 0x8B;
        in.reset();
        return gzip;
    }

    /** The content of the stream, decompressed if it is gzip. */
    static InputStream content(InputStream file) throws IOException {
        BufferedInputStream in = new BufferedInputStream(file, 1 << 16);
        return isGzip(in) ? new BufferedInputStream(new GZIPInputStream(in, 1 << 16), 1 << 16) : in;
    }

    /** SHA-256 of the file's content, decompressed if it is gzip; fails if that is more than {@code cap} bytes. */
    static String sha256(Path file, long cap) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return Sha256.of(stream(content(in), cap));
        }
    }

    /** The most bytes that a file of this length can hold. */
    static long mostContent(long fileLength, boolean gzip) {
        return gzip ? Math.multiplyExact(Math.min(fileLength, 1L << 40) + 1, BEST_RATIO) : fileLength;
    }

    /**
     * Reads exactly the given number of bytes, or fewer if the stream ends before: the caller compares the length.
     *
     * @param length at most {@link #MAX_ARRAY}
     */
    static byte[] upTo(InputStream in, long length) throws IOException {
        byte[] bytes = new byte[(int) Math.min(length, FIRST_CHUNK)];
        int filled = 0;
        while (true) {
            int read = in.readNBytes(bytes, filled, bytes.length - filled);
            filled += read;
            if (filled < bytes.length) {
                return Arrays.copyOf(bytes, filled);
            }
            if (filled == length) {
                return bytes;
            }
            bytes = Arrays.copyOf(bytes, (int) Math.min(length, 2L * bytes.length));
        }
    }

    /** A stream that fails with an {@link IOException} when more than {@code cap} bytes are read from it. */
    static InputStream stream(InputStream in, long cap) {
        return new FilterInputStream(in) {
            private long left = cap;

            @Override
            public int read() throws IOException {
                int b = in.read();
                count(b < 0 ? 0 : 1);
                return b;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                int n = in.read(bytes, offset, length);
                count(Math.max(n, 0));
                return n;
            }

            @Override
            public long skip(long n) throws IOException {
                long skipped = in.skip(n);
                count(skipped);
                return skipped;
            }

            @Override
            public boolean markSupported() {
                return false;
            }

            private void count(long n) throws IOException {
                left -= n;
                if (left < 0) {
                    throw new IOException("it holds more than " + cap + " bytes");
                }
            }
        };
    }
}
