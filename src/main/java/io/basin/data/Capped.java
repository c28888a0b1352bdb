package io.basin.data;

import io.basin.Nullable;
import io.basin.io.Sha256;
import io.basin.text.Reason;
import java.io.BufferedInputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.GZIPInputStream;

/**
 * Reads files that may be hostile, compressed or not, without believing a length before the bytes are there.
 *
 * <p>A header of 16 bytes may promise gigabytes and a small gzip file may hold them. So a header's sizes are
 * compared with the file's length first, and every stream has an end after which reading fails.
 */
final class Capped {
    /** Deflate cannot do better than 1032 : 1; the rest is room for its header. */
    private static final long BEST_RATIO = 1040;

    /** Largest array that every JVM can allocate. */
    static final long MAX_ARRAY = Integer.MAX_VALUE - 8;

    /** Memory for any file. */
    static final long ROOM = 48L << 20;

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
        return content(new BufferedInputStream(file, 1 << 16));
    }

    static BufferedInputStream content(BufferedInputStream file) throws IOException {
        return isGzip(file) ? new BufferedInputStream(new Gzip(new Limited(file, Long.MAX_VALUE)), 1 << 16) : file;
    }

    /** Java's stream ends silently where bytes that are not gzip follow a member: this one refuses them. */
    private static final class Gzip extends GZIPInputStream {
        private static final int TRAILER = 8;

        private final Limited packed;
        /** Bytes of the file when the inflater last took some: those read since then are the trailer and later bytes. */
        private long filled;

        Gzip(Limited packed) throws IOException {
            super(packed, 1 << 16);
            this.packed = packed;
        }

        @Override
        protected void fill() throws IOException {
            super.fill();
            filled = packed.count();
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int n = super.read(bytes, offset, length);
            if (n < 0 && (inf.getRemaining() + packed.count() - filled > TRAILER || packed.read() >= 0)) {
                throw new ContentException("other bytes follow its gzip data");
            }
            return n;
        }
    }

    /** Whether a gzip file's last bytes, CRC-32 and length of its content, are those of the plain file. */
    static boolean sameContent(Path plain, Path gzip) {
        try (CheckedInputStream in = new CheckedInputStream(Files.newInputStream(plain), new CRC32());
                FileChannel packed = FileChannel.open(gzip)) {
            ByteBuffer trailer = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN);
            packed.read(trailer, Math.max(0, packed.size() - 8));
            if (trailer.getInt(4) != (int) Files.size(plain)) return false;
            in.transferTo(OutputStream.nullOutputStream());
            return trailer.getInt(0) == (int) in.getChecksum().getValue();
        } catch (IOException e) {
            throw DataException.of(
                    plain.toString(), "cannot be compared with " + gzip + " (" + Reason.of(e) + ")", "Remove one", e);
        }
    }

    /** SHA-256 of the file's content, decompressed if it is gzip; fails if that is more than {@code cap} bytes. */
    static String sha256(Path file, long cap) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return Sha256.of(new Limited(content(in), cap));
        }
    }

    /** The most bytes that a file of this length can hold. */
    static long mostContent(long fileLength, boolean gzip) {
        return gzip ? Math.multiplyExact(Math.min(fileLength, 1L << 40) + 1, BEST_RATIO) : fileLength;
    }

    /**
     * The most memory that reading a file of this length may take. Images compress to a third or less seldom, so honest sets
     * stay far below, and a bomb is refused by its header's sizes; with buffers, readers stay under four times the
     * file's length and 64 MiB.
     */
    static long allowance(long fileLength) {
        return 4 * Math.min(fileLength, 1L << 40) + ROOM;
    }

    static void close(@Nullable InputStream in) {
        try {
            if (in != null) in.close();
        } catch (IOException e) {
            // All that is needed has been read.
            return;
        }
    }

    /** The content is longer than it may be, or something else follows it. */
    static final class ContentException extends IOException {
        private static final long serialVersionUID = 1;

        ContentException(String message) {
            super(message);
        }
    }

    /** A stream from which no more than {@code cap} bytes can be read, nor more than were last expected. */
    static final class Limited extends FilterInputStream {
        private final long cap;
        private long limit;
        private long count;
        private long marked;

        Limited(InputStream in, long cap) {
            super(in);
            this.cap = cap;
            limit = cap;
        }

        /** At most {@code more} bytes from here on. */
        void expect(long more) {
            limit = Math.min(cap, count + Math.max(0, more));
        }

        /** Bytes read. */
        long count() {
            return count;
        }

        @Override
        public int read() throws IOException {
            byte[] one = new byte[1];
            return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
        }

        @Override
        public int read(byte[] bytes, int offset, int length) throws IOException {
            int n = in.read(bytes, offset, length);
            count += Math.max(n, 0);
            if (count > limit) throw new ContentException("it holds more than " + limit + " bytes");
            return n;
        }

        @Override
        public long skip(long most) throws IOException {
            return readNBytes((int) Math.max(0, Math.min(most, 1 << 16))).length;
        }

        @Override
        public synchronized void mark(int most) {
            in.mark(most);
            marked = count;
        }

        @Override
        public synchronized void reset() throws IOException {
            in.reset();
            count = marked;
        }
    }
}
