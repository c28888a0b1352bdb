package io.basin.data;

import io.basin.text.Printable;
import java.io.IOException;
import java.io.InputStream;
import java.util.Arrays;
import org.apache.commons.compress.archivers.tar.TarArchiveEntry;
import org.apache.commons.compress.archivers.tar.TarArchiveInputStream;
import org.apache.commons.compress.archivers.tar.TarConstants;

/**
 * Walks through the regular files of a tar archive, gzip or not.
 *
 * <p>Directories, links and devices are passed over. Nothing is ever written to a path taken from an archive, and a name that is
 * absolute or contains {@code ..} is an error all the same. The library takes long names and extended headers into memory
 * whatever their length, so it is given {@link #HEADERS} bytes to find the next file in.
 */
final class TarReader {
    private static final long HEADERS = 1 << 16;
    private static final String REMEDY = "Fetch the archive again with 'basin data fetch'";

    private TarReader() {}

    /** Takes one regular file: its path inside the archive, its length in bytes, and its content, which ends where the file does. */
    interface Visitor {
        void file(String path, long length, InputStream content) throws IOException;
    }

    /**
     * Shows all files to {@code visitor}.
     *
     * @param archive the archive's bytes; the caller closes it
     * @param name of the archive, for messages
     */
    static void read(InputStream archive, long fileLength, String name, Visitor visitor) throws IOException {
        Capped.Limited bytes = new Capped.Limited(Capped.content(archive), Capped.allowance(fileLength));
        bytes.expect(HEADERS);
        // Blocks of one record: of longer ones the library would pass over the rest unseen.
        int record = TarConstants.DEFAULT_RCDSIZE;
        TarArchiveInputStream tar = new TarArchiveInputStream(bytes, record, record);
        for (TarArchiveEntry e = next(tar, bytes, name); e != null; e = next(tar, bytes, name)) {
            bytes.expect(e.getSize() + HEADERS);
            boolean regular = e.getLinkFlag() == TarConstants.LF_NORMAL || e.getLinkFlag() == TarConstants.LF_OLDNORM;
            if (!regular || e.isSparse()) continue;
            requireSafe(name, e.getName());
            try {
                visitor.file(e.getName(), e.getSize(), tar);
            } catch (IOException damaged) {
                if (!isCutShort(damaged)) throw damaged;
                throw DataException.of(name, "ends in the middle of a file", REMEDY, damaged);
            }
        }
        requireEnd(bytes, name);
    }

    /** Reads on to the very end, where gzip has its CRC-32; zeros may fill the archive up. */
    private static void requireEnd(Capped.Limited bytes, String name) throws IOException {
        bytes.expect(1L << 40);
        byte[] rest = new byte[1 << 13];
        for (int n = bytes.read(rest); n >= 0; n = bytes.read(rest)) {
            for (int i = 0; i < n; i++) {
                if (rest[i] != 0) throw DataException.of(name, "holds other bytes after the archive's end", REMEDY);
            }
        }
    }

    /** The library has one exception for all damage. */
    private static boolean isCutShort(IOException damage) {
        return String.valueOf(damage.getMessage()).startsWith("Truncated TAR");
    }

    private static TarArchiveEntry next(TarArchiveInputStream tar, Capped.Limited bytes, String name)
            throws IOException {
        try {
            TarArchiveEntry entry = tar.getNextEntry();
            boolean whole = bytes.count() % TarConstants.DEFAULT_RCDSIZE == 0;
            if (entry == null ? whole : entry.isCheckSumOK()) return entry;
            throw DataException.of(name, "is not a tar archive or is damaged (bad header)", REMEDY);
        } catch (Capped.ContentException | java.util.zip.ZipException | java.io.EOFException e) {
            throw e;
        } catch (IOException | IllegalArgumentException | ArithmeticException e) {
            throw DataException.of(name, "is not a tar archive or is damaged (bad header)", REMEDY, e);
        }
    }

    private static void requireSafe(String archive, String path) {
        boolean leaves = path.startsWith("/")
                || path.indexOf('\\') >= 0
                || Arrays.asList(path.split("/")).contains("..");
        if (!path.isEmpty() && !leaves) return;
        throw DataException.of(archive, "holds the unsafe file name \"" + Printable.of(path) + "\"", REMEDY);
    }
}
