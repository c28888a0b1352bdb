package io.basin.exchange;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.tensorflow.framework.Summary;
import org.tensorflow.util.Event;

/** Reads event files by the definition of TensorFlow's records and by TensorFlow's own messages. */
public final class Events {
    private Events() {}

    /** A value of one step. */
    public record Point(long step, String tag, Summary.Value value) {
        /** All but the time, which no two runs share. */
        @Override
        public String toString() {
            Object shown = value.hasHisto() ? "bytes " + Arrays.hashCode(value.toByteArray()) : value.getSimpleValue();
            return step + " " + tag + " " + shown;
        }
    }

    /** All of a file, each record with its sums compared. */
    public static List<Event> read(Path file) throws IOException {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.LITTLE_ENDIAN);
        List<Event> all = new ArrayList<>();
        while (bytes.hasRemaining()) {
            long length = bytes.getLong(bytes.position());
            byte[] head = new byte[8];
            bytes.get(head);
            assertEquals(masked(head), bytes.getInt(), "the sum of a length");
            byte[] data = new byte[Math.toIntExact(length)];
            bytes.get(data);
            assertEquals(masked(data), bytes.getInt(), "the sum of a record");
            all.add(Event.parseFrom(data));
        }
        return all;
    }

    /** The values of the only event file of a folder. */
    public static List<Point> points(Path folder) throws IOException {
        List<Path> files;
        try (var all = Files.list(folder)) {
            files = all.filter(f -> f.getFileName().toString().contains("tfevents"))
                    .toList();
        }
        assertEquals(1, files.size(), folder + ": " + files);
        List<Event> events = read(files.get(0));
        assertEquals("brain.Event:2", events.get(0).getFileVersion());
        List<Point> points = new ArrayList<>();
        long last = 0;
        for (Event event : events) {
            assertEquals(Math.max(last, event.getStep()), event.getStep(), "steps go back");
            last = event.getStep();
            for (Summary.Value v : event.getSummary().getValueList()) {
                points.add(new Point(event.getStep(), v.getTag(), v));
            }
        }
        return points;
    }

    /** Bit by bit: Castagnoli's polynomial, reflected; then TensorFlow's mask. */
    private static int masked(byte[] bytes) {
        int crc = -1;
        for (byte b : bytes) {
            crc ^= b & 0xFF;
            for (int bit = 0; bit < 8; bit++) crc = crc >>> 1 ^ ((crc & 1) == 0 ? 0 : 0x82F63B78);
        }
        crc = ~crc;
        return (crc >>> 15 | crc << 17) + (int) 0xA282EAD8L;
    }
}
