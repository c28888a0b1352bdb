package io.basin.io;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.text.Format;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32;

/**
 * A growing file of one JSON value per line: a run's metrics.
 *
 * <p>A checkpoint stores {@link #position()}. After a crash the file may hold lines that are newer than the checkpoint, or half
 * a line; {@link #resume} cuts it back to the checkpoint's offset, so the resumed run's file equals the one of a run that was
 * never interrupted.
 *
 * <p>A line that is an object carries {@code check}, the CRC-32 of its other fields, which every reader compares. The files of two
 * equal runs are equal but for it and for {@code seconds}, the time that something took.
 */
public final class JsonLines implements AutoCloseable {
    /** The cost of a line beside its values, in values. */
    private static final int LINE_COST = 8;

    private static final long COST_FREE = 200_000;
    private static final String CHECK = "check";
    private static final String TIME = "seconds";

    private final Path file;
    private final FileChannel channel;

    private JsonLines(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Starts an empty file, replacing any old one. */
    public static JsonLines create(Path file) {
        return AtomicFile.onDisk(
                file,
                () -> new JsonLines(
                        file,
                        FileChannel.open(
                                file,
                                StandardOpenOption.WRITE,
                                StandardOpenOption.CREATE,
                                StandardOpenOption.TRUNCATE_EXISTING)));
    }

    /** Goes on at byte {@code offset}, dropping what follows. */
    public static JsonLines resume(Path file, long offset) {
        if (offset < 0) throw new IllegalArgumentException("offset must not be negative, got " + offset);
        if (!Files.isRegularFile(file)) {
            throw new FormatException(file.toString(), "no such file, cannot resume it at byte " + offset);
        }
        return AtomicFile.onDisk(file, () -> {
            FileChannel channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            try {
                JsonLines lines = new JsonLines(file, channel);
                lines.truncate(offset);
                return lines;
            } catch (IOException | RuntimeException e) {
                AtomicFile.close(channel, e);
                throw e;
            }
        });
    }

    /**
     * Appends one value and hands it to the system: it survives the process, {@link #force} makes it survive the machine. A line
     * that does not fit on the disk is taken back whole.
     */
    public void append(Object value) {
        byte[] bytes = line(value, file.toString()).getBytes(StandardCharsets.UTF_8);
        long before = position();
        try {
            AtomicFile.writeFully(channel, ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            takeBack(before, e);
            throw AtomicFile.failure(file, e);
        }
    }

    /** {@code value} as a line of such a file, with its check and its end; {@code name} stands for the file in errors. */
    public static String line(Object value, String name) {
        JsonNode line = Json.parse(Json.line(value), name);
        if (line instanceof ObjectNode object) object.put(CHECK, check(object));
        return Json.line(line) + "\n";
    }

    private static String check(ObjectNode line) {
        CRC32 sum = new CRC32();
        sum.update(Json.line(line).getBytes(StandardCharsets.UTF_8));
        return Format.of("%08x", sum.getValue());
    }

    private static String timeless(JsonNode line) {
        return Json.line(line instanceof ObjectNode o ? o.deepCopy().without(TIME) : line);
    }

    /** SHA-256 of the file's lines but for the time that they took. */
    public static String sha256(Path file) {
        MessageDigest digest = Sha256.digest();
        for (JsonNode line : read(file)) digest.update((timeless(line) + "\n").getBytes(StandardCharsets.UTF_8));
        return Sha256.hex(digest);
    }

    private void takeBack(long before, IOException reason) {
        try {
            channel.truncate(before);
            channel.position(before);
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }

    /** The file's length in bytes, where the next line will start. */
    public long position() {
        return AtomicFile.onDisk(file, channel::position);
    }

    /** Waits until all lines are on the disk; call it before a checkpoint that stores {@link #position()}. */
    public void force() {
        AtomicFile.onDisk(file, () -> {
            AtomicFile.force(channel);
            return file;
        });
    }

    @Override
    public void close() {
        AtomicFile.onDisk(file, () -> {
            channel.close();
            return file;
        });
    }

    /** The values of a file, in order. A last line without its newline is what a killed process leaves, and is left out. */
    public static List<JsonNode> read(Path file) {
        if (!Files.exists(file)) throw new FormatException(file.toString(), "no such file");
        return parse(file, Disk.reading(file, () -> Files.readAllBytes(file)));
    }

    private static List<JsonNode> parse(Path file, byte[] bytes) {
        List<JsonNode> values = new ArrayList<>();
        requireSparse(bytes, file.toString());
        int checked = 0;
        int start = 0;
        for (int end = 0; end < bytes.length; end++) {
            if (bytes[end] != '\n') continue;
            String where = file + " line " + (values.size() + 1);
            JsonNode line = Json.parse(Arrays.copyOfRange(bytes, start, end), where);
            if (line.has(CHECK)) {
                String check = ((ObjectNode) line).remove(CHECK).asText();
                if (!check.equals(check((ObjectNode) line))) throw damaged(where);
                checked++;
            } else if (checked > 0 || line.propertyStream().anyMatch(f -> Json.isAlmost(f.getKey(), CHECK))) {
                throw damaged(where);
            }
            values.add(line);
            start = end + 1;
        }
        // An older version's file may have been gone on with.
        if (checked < values.size()) {
            Notices.once(file + " has lines without a check, so damage to them goes unnoticed: an older version wrote"
                    + " them");
        }
        return values;
    }

    /** A value takes far more memory than a byte or two in the file: lines of records are mostly names and digits. */
    private static void requireSparse(byte[] bytes, String name) {
        long cost = 0;
        for (byte b : bytes) {
            if (b == '\n') cost += LINE_COST;
            else if (b == ',' || b == ':' || b == '{' || b == '[') cost++;
        }
        if (cost > COST_FREE + bytes.length / 3) {
            throw new FormatException(name, "holds far more lines or values than records of its length have");
        }
    }

    private static FormatException damaged(String where) {
        return new FormatException(
                where, "is damaged or was changed: its check is another; restore the file from a copy, or start anew");
    }

    private void truncate(long offset) throws IOException {
        if (offset > channel.size()) {
            throw new FormatException(
                    file.toString(),
                    "is " + channel.size() + " bytes long, shorter than the " + offset + " that the checkpoint knows");
        }
        if (offset > 0) {
            ByteBuffer last = ByteBuffer.allocate(1);
            channel.read(last, offset - 1);
            if (last.get(0) != '\n') throw new FormatException(file.toString(), "no line starts at byte " + offset);
        }
        ByteBuffer kept = ByteBuffer.allocate(Math.toIntExact(offset));
        while (kept.hasRemaining() && channel.read(kept, kept.position()) >= 0) {}
        parse(file, kept.array());
        channel.truncate(offset);
        channel.position(offset);
    }
}
