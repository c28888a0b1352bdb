package io.basin.cuda;

import io.basin.Nullable;
import io.basin.text.Reason;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Finds faults of a shared library's file from its headers alone.
 *
 * <p>The dynamic linker maps what the program headers name and then touches it: where the file is shorter, the process ends with
 * SIGBUS, which cannot be caught. So the file's size is compared with its headers before the linker sees it.
 */
final class Elf {
    private static final int HEADER = 64;
    private static final int SEGMENT = 56;
    private static final int SECTION = 64;
    private static final int LOAD = 1;
    private static final int SHARED_OBJECT = 3;
    private static final int STRINGS = 3;
    private static final int NO_BITS = 8;
    private static final int VERSIONS_NEEDED = 0x6ffffffe;
    private static final int X86_64 = 62;
    private static final int MAGIC = 0x464c457f;
    private static final byte[] SCRIPT = {'/', '*', ' ', 'G', 'N', 'U', ' ', 'l', 'd'};

    /** @param skipped whether the linker passes over such a file and looks further */
    record Fault(String text, boolean skipped) {}

    private Elf() {}

    /** The fault of the file that lies there, or null; it need not exist behind a link. */
    static @Nullable Fault fault(Path file) {
        if (Files.isSymbolicLink(file) && !Files.exists(file)) return new Fault("is a link to nothing", true);
        if (Files.isDirectory(file)) return new Fault("is a folder", false);
        if (!Files.isRegularFile(file)) return new Fault("is not a file", false);
        if (!Files.isReadable(file)) return new Fault("may not be read by this user", true);
        try (FileChannel channel = FileChannel.open(file)) {
            return fault(channel);
        } catch (EOFException e) {
            return cut("ends within its headers");
        } catch (IOException e) {
            return new Fault("cannot be read: " + Reason.of(e), false);
        }
    }

    private static @Nullable Fault fault(FileChannel file) throws IOException {
        if (file.size() == 0) return new Fault("is empty", false);
        ByteBuffer start = read(file, 0, (int) Math.min(HEADER, file.size()));
        if (start.limit() < 4 || start.getInt(0) != MAGIC) {
            return new Fault(
                    begins(start, SCRIPT) ? "is a script for the linker, not a library" : "is not a library", false);
        }
        if (start.limit() < HEADER) return cut("has " + start.limit() + " bytes");
        if (start.get(4) != 2 || start.get(5) != 1 || start.getShort(18) != X86_64) {
            return new Fault("is built for another processor than x86-64", true);
        }
        if (start.getShort(16) != SHARED_OBJECT) return new Fault("is not a shared library", false);
        long end = end(file, start);
        return end <= file.size() ? null : cut("has " + file.size() + " bytes, its headers speak of " + end);
    }

    private static Fault cut(String how) {
        return new Fault("is cut short: it " + how, false);
    }

    /** The end of the last byte that the linker maps, or that a section has: a library may come without a table of sections. */
    private static long end(FileChannel file, ByteBuffer header) throws IOException {
        long end = HEADER;
        ByteBuffer segments = read(file, header.getLong(32), (header.getShort(56) & 0xFFFF) * SEGMENT);
        for (int at = 0; at < segments.limit(); at += SEGMENT) {
            if (segments.getInt(at) != LOAD) continue;
            end = Math.max(end, end(segments.getLong(at + 8), segments.getLong(at + 32)));
        }
        long from = header.getLong(40);
        int count = header.getShort(60) & 0xFFFF;
        if (from == 0 || count == 0) return end;
        end = Math.max(end, end(from, (long) count * SECTION));
        if (end > file.size()) return end;
        ByteBuffer sections = read(file, from, count * SECTION);
        for (int at = 0; at < sections.limit(); at += SECTION) {
            if (sections.getInt(at + 4) == NO_BITS) continue;
            end = Math.max(end, end(sections.getLong(at + 24), sections.getLong(at + 32)));
        }
        return end;
    }

    /** Offset and length are unsigned in the file: a value that does not fit lies past any end. */
    private static long end(long offset, long length) {
        long end = offset + length;
        return offset < 0 || length < 0 || end < 0 ? Long.MAX_VALUE : end;
    }

    /**
     * The library with another name, equally long, in place of one that it asks for: in its strings, and as a hash in the table of the
     * versions that it needs.
     */
    static byte[] renamed(byte[] library, String from, String to) {
        if (from.equals(to)) return library;
        if (from.length() != to.length()) throw new IllegalArgumentException(to + " is not as long as " + from);
        ByteBuffer file = ByteBuffer.wrap(library.clone()).order(ByteOrder.LITTLE_ENDIAN);
        byte[] old = ('\0' + from + '\0').getBytes(StandardCharsets.US_ASCII);
        byte[] replacement = ('\0' + to + '\0').getBytes(StandardCharsets.US_ASCII);
        int count = file.getShort(60) & 0xFFFF;
        for (int i = 0; i < count; i++) {
            int section = (int) file.getLong(40) + i * SECTION;
            int type = file.getInt(section + 4);
            int start = (int) file.getLong(section + 24);
            int end = start + (int) file.getLong(section + 32);
            for (int at = start; type == STRINGS && at + old.length <= end; at++) {
                if (file.slice(at, old.length).equals(ByteBuffer.wrap(old))) file.put(at, replacement);
            }
            for (int at = start; type == VERSIONS_NEEDED && at < end; at += Integer.BYTES) {
                if (file.getInt(at) == hash(from)) file.putInt(at, hash(to));
            }
        }
        return file.array();
    }

    /** The format's own hash of a name. */
    static int hash(String name) {
        int h = 0;
        for (int i = 0; i < name.length(); i++) {
            h = (h << 4) + name.charAt(i);
            int high = h & 0xF0000000;
            h = (h ^ high >>> 24) & ~high;
        }
        return h;
    }

    private static ByteBuffer read(FileChannel file, long from, int bytes) throws IOException {
        if (from < 0 || from > file.size() - bytes) throw new EOFException();
        ByteBuffer out = ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
        while (out.hasRemaining()) {
            if (file.read(out, from + out.position()) < 0) throw new EOFException();
        }
        return out.flip();
    }

    private static boolean begins(ByteBuffer bytes, byte[] with) {
        return bytes.limit() >= with.length && bytes.slice(0, with.length).equals(ByteBuffer.wrap(with));
    }
}
