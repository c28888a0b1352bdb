package io.basin.io;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;

/**
 * A growing file of one JSON value per line: a run's metrics.
 *
 * <p>A checkpoint stores {@link #position()}. After a crash the file may hold lines that are newer than the checkpoint, or half
 * a line; {@link #resume} cuts it back to the checkpoint's offset, so the resumed run's file equals the one of a run that was
 * never interrupted.
 */
public final class JsonLines implements AutoCloseable {
    private final Path file;
    private final FileChannel channel;

    private JsonLines(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Starts an empty file, replacing any old one. */
    public static JsonLines create(Path file) {
        try {
            return new JsonLines(
                    file,
                    FileChannel.open(
                            file,
                            StandardOpenOption.WRITE,
                            StandardOpenOption.CREATE,
                            StandardOpenOption.TRUNCATE_EXISTING));
        } catch (IOException e) {
            throw AtomicFile.failure(file, e);
        }
    }

    /**
     * Goes on at byte {@code offset}, dropping what follows.
     *
     * @throws FormatException if the file is absent or shorter, or the offset is not the start of a line: it is not the file
     *     that the checkpoint was taken with
     */
    public static JsonLines resume(Path file, long offset) {
        if (offset < 0) {
            throw new IllegalArgumentException("offset must not be negative, got " + offset);
        }
        if (!Files.isRegularFile(file)) {
            throw new FormatException(file.toString(), "no such file, cannot resume it at byte " + offset);
        }
        FileChannel channel = null;
        try {
            channel = FileChannel.open(file, StandardOpenOption.READ, StandardOpenOption.WRITE);
            JsonLines lines = new JsonLines(file, channel);
            lines.truncate(offset);
            return lines;
        } catch (IOException e) {
            close(channel, e);
            throw AtomicFile.failure(file, e);
        } catch (RuntimeException e) {
            close(channel, e);
            throw e;
        }
    }

    /**
     * Appends one value and hands it to the system: it survives the process, {@link #force} makes it survive the machine. A line
     * that does not fit on the disk is taken back whole.
     */
    public void append(Object value) {
        byte[] bytes = (Json.line(value) + "\n").getBytes(StandardCharsets.UTF_8);
        long before = position();
        try {
            AtomicFile.writeFully(channel, ByteBuffer.wrap(bytes));
        } catch (IOException e) {
            takeBack(before, e);
            throw AtomicFile.failure(file, e);
        }
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
        try {
            return channel.position();
        } catch (IOException e) {
            throw AtomicFile.failure(file, e);
        }
    }

    /** Waits until all lines are on the disk; call it before a checkpoint that stores {@link #position()}. */
    public void force() {
        try {
            channel.force(false);
        } catch (IOException e) {
            throw AtomicFile.failure(file, e);
        }
    }

    @Override
    public void close() {
        try {
            channel.close();
        } catch (IOException e) {
            throw AtomicFile.failure(file, e);
        }
    }

    /**
     * The values of a file, in order. A last line without its newline is what a killed process leaves, and is left out.
     *
     * @throws FormatException naming the file and the line
     */
    public static List<JsonNode> read(Path file) {
        String text;
        try {
            text = Json.decode(Files.readAllBytes(file), file.toString());
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read " + file + ": " + Reason.of(e), e);
        }
        List<JsonNode> values = new ArrayList<>();
        int start = 0;
        for (int end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
            values.add(Json.parse(
                    text.substring(start, end),
                    file + " line " + (values.size() + 1),
                    "it is damaged; delete the file to have what it records made again"));
            start = end + 1;
        }
        return values;
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
            if (last.get(0) != '\n') {
                throw new FormatException(file.toString(), "no line starts at byte " + offset);
            }
        }
        channel.truncate(offset);
        channel.position(offset);
    }

    private static void close(FileChannel channel, Exception reason) {
        if (channel == null) {
            return;
        }
        try {
            channel.close();
        } catch (IOException e) {
            reason.addSuppressed(e);
        }
    }
}
