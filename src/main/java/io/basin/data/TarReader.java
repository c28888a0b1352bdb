package io.basin.data;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * Walks through the regular files of a tar stream (ustar and the older format).
 *
 * <p>Only what the published archives hold is understood: directories are passed over; links, devices and extended
 * headers are refused by being passed over too, since nothing reads them. Nothing is ever written to a path taken
 * from an archive, and a name that is absolute or contains {@code ..} is an error all the same.
 *
 * <p>Not commons-compress: version 1.28 takes long names into memory whatever their length, 513 MB for an archive of 204 KB.
 */
final class TarReader {
    private static final int BLOCK = 512;
    private static final String REMEDY = "Fetch the archive again with 'basin data fetch'";

    private final InputStream in;
    private final String archive;
    private long left;
    private long padding;

    /**
     * @param in the decompressed archive; the caller closes it and bounds its length
     * @param archive name for messages
     */
    TarReader(InputStream in, String archive) {
        this.in = in;
        this.archive = archive;
    }

    /** One regular file: its path inside the archive, the last part of it, and its length in bytes. */
    record Entry(String path, String name, long length) {}

    /**
     * Goes to the next regular file.
     *
     * @return the file, or null at the end of the archive
     * @throws DataException if what follows is not a tar header
     */
    Entry next() throws IOException {
        while (true) {
            in.skipNBytes(left + padding);
            left = 0;
            padding = 0;
            byte[] header = in.readNBytes(BLOCK);
            if (header.length == 0 || header.length == BLOCK && Arrays.equals(header, new byte[BLOCK])) {
                return null;
            }
            if (header.length < BLOCK || !checksumHolds(header)) {
                throw DataException.of(archive, "is not a tar archive or is damaged (bad header)", REMEDY);
            }
            left = octal(header, 124, 12);
            padding = (BLOCK - left % BLOCK) % BLOCK;
            byte type = header[156];
            if (type == '0' || type == 0) {
                String path = path(header);
                return new Entry(path, path.substring(path.lastIndexOf('/') + 1), left);
            }
        }
    }

    /** The content of the current file, read as it comes; it ends where the file does. */
    InputStream content() {
        return new InputStream() {
            @Override
            public int read() throws IOException {
                byte[] one = new byte[1];
                return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
            }

            @Override
            public int read(byte[] bytes, int offset, int length) throws IOException {
                if (left == 0) return -1;
                int n = in.read(bytes, offset, (int) Math.min(length, left));
                if (n < 0) throw DataException.of(archive, "ends in the middle of a file", REMEDY);
                left -= n;
                return n;
            }
        };
    }

    private String path(byte[] header) {
        String path = text(header, 0, 100);
        boolean ustar = text(header, 257, 6).equals("ustar") && header[262] == 0;
        String prefix = ustar ? text(header, 345, 155) : "";
        String full = prefix.isEmpty() ? path : prefix + "/" + path;
        if (full.isEmpty()
                || full.startsWith("/")
                || full.indexOf('\\') >= 0
                || Arrays.asList(full.split("/")).contains("..")) {
            throw DataException.of(archive, "holds the unsafe file name \"" + printable(full) + "\"", REMEDY);
        }
        return full;
    }

    private static String printable(String text) {
        return text.replaceAll("\\p{Cntrl}", "?");
    }

    private static String text(byte[] header, int offset, int length) {
        int end = offset;
        while (end < offset + length && header[end] != 0) {
            end++;
        }
        return new String(header, offset, end - offset, StandardCharsets.UTF_8);
    }

    private long octal(byte[] header, int offset, int length) {
        long value = parseOctal(header, offset, length);
        if (value < 0) {
            throw DataException.of(archive, "has a header with an unreadable file length", REMEDY);
        }
        return value;
    }

    /** At most 12 digits, so 36 bits; -1 if the field is not octal. */
    private static long parseOctal(byte[] header, int offset, int length) {
        String digits = text(header, offset, length).trim();
        if (digits.isEmpty()) {
            return -1;
        }
        long value = 0;
        for (int i = 0; i < digits.length(); i++) {
            int digit = digits.charAt(i) - '0';
            if (digit < 0 || digit > 7) {
                return -1;
            }
            value = value * 8 + digit;
        }
        return value;
    }

    /** The sum of all bytes, those of the checksum itself counted as spaces. */
    private static boolean checksumHolds(byte[] header) {
        long sum = 0;
        for (int i = 0; i < BLOCK; i++) {
            sum += i >= 148 && i < 156 ? ' ' : header[i] & 0xFF;
        }
        return sum == parseOctal(header, 148, 8);
    }
}
