package io.basin.exchange;

import io.basin.io.AtomicFile;
import io.basin.io.Folders;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Map;
import java.util.zip.CRC32C;

/**
 * A growing file of TensorBoard's events, one folder a run: TensorFlow's framing of records (tsl/lib/io/record_writer.h) around
 * the messages Event and Summary (tensorflow/core/util/event.proto, tensorflow/core/framework/summary.proto).
 *
 * <p>Events are in the order of their steps. A run that goes on from a checkpoint opens its file up to the checkpoint's step, which
 * cuts off what is newer and a record that a killed process left half written; so no point is doubled or lost, and a TensorBoard
 * that is reading finds the same bytes, but for times, at the same places. One thread writes.
 */
public final class EventFile implements AutoCloseable {
    /** TensorBoard reads files with {@code tfevents} in their name, in the order of names. */
    private static final String NAME = "events.out.tfevents.basin";

    private static final String VERSION = "brain.Event:2";
    /** Equal buckets of a histogram, as many as TensorBoard's own writer makes. */
    private static final int BUCKETS = 30;

    private static final int HEAD = 12;

    private final Path file;
    private final FileChannel channel;
    private long step;

    private EventFile(Path file, FileChannel channel) {
        this.file = file;
        this.channel = channel;
    }

    /** Values of one step, by tags: the part before a tag's slash groups charts. */
    public static final class Values {
        private final Protobuf summary = new Protobuf();

        private Values add(String tag, int kind, Protobuf value) {
            summary.put(1, new Protobuf().put(1, tag).put(kind, value));
            return this;
        }

        public Values scalar(String tag, double value) {
            summary.put(1, new Protobuf().put(1, tag).put(2, (float) value));
            return this;
        }

        /** Counts in equal buckets from the least to the largest; values that are not finite are left out. */
        public Values histogram(String tag, float[] values) {
            double min = Double.POSITIVE_INFINITY;
            double max = Double.NEGATIVE_INFINITY;
            double sum = 0;
            double squares = 0;
            long count = 0;
            for (float v : values) {
                if (!Float.isFinite(v)) continue;
                min = Math.min(min, v);
                max = Math.max(max, v);
                sum += v;
                squares += (double) v * v;
                count++;
            }
            if (count == 0) return this;
            double[] counts = new double[max > min ? BUCKETS : 1];
            double[] limits = new double[counts.length];
            for (int i = 0; i < limits.length; i++) limits[i] = min + (max - min) * (i + 1) / limits.length;
            limits[limits.length - 1] = max;
            for (float v : values) {
                if (!Float.isFinite(v)) continue;
                double place = max > min ? (v - min) / (max - min) * counts.length : 0;
                counts[Math.min((int) place, counts.length - 1)]++;
            }
            Protobuf histogram = new Protobuf().put(1, min).put(2, max).put(3, (double) count);
            histogram.put(4, sum).put(5, squares).put(6, Protobuf.packed(limits));
            return add(tag, 5, histogram.put(7, Protobuf.packed(counts)));
        }

        /** @param png the bytes of a picture's file, in colours */
        public Values picture(String tag, byte[] png) {
            ByteBuffer bytes = ByteBuffer.wrap(png);
            Protobuf image = new Protobuf().put(1, bytes.getInt(20)).put(2, bytes.getInt(16));
            return add(tag, 4, image.put(3, 3).put(4, bytes));
        }
    }

    /** Opens a run's file, new or with its events up to {@code step}; makes its folder. */
    public static EventFile upTo(Path folder, long step) {
        Path file = Folders.make(folder).resolve(NAME);
        return AtomicFile.onDisk(file, () -> {
            FileChannel channel = FileChannel.open(
                    file, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
            EventFile events = new EventFile(file, channel);
            try {
                channel.truncate(events.end(step)).position(channel.size());
                if (channel.size() == 0) events.write(0, event(0).put(3, VERSION));
                return events;
            } catch (IOException | RuntimeException e) {
                channel.close();
                throw e;
            }
        });
    }

    /**
     * Replaces a run's events by pictures.
     *
     * @param pngs by tags; an empty one was not drawn
     */
    public static void pictures(Path folder, Map<String, byte[]> pngs) {
        try (EventFile events = upTo(folder, -1)) {
            Values all = new Values();
            pngs.forEach((tag, png) -> {
                if (png.length > 0) all.picture(tag, png);
            });
            events.append(0, all);
        }
    }

    /** Of the last event; 0 where there is none. */
    public long step() {
        return step;
    }

    /** The end of the events up to {@code last}; nothing after a cut or damaged record is read. */
    private long end(long last) throws IOException {
        ByteBuffer head = ByteBuffer.allocate(HEAD).order(ByteOrder.LITTLE_ENDIAN);
        long size = channel.size();
        long at = 0;
        while (size - at >= HEAD) {
            fill(head.clear(), at);
            long length = head.getLong(0);
            boolean whole = head.getInt(8) == sum(head.limit(8)) && length >= 0 && length <= size - at - HEAD - 4;
            if (!whole) return at;
            ByteBuffer record = ByteBuffer.allocate(Math.toIntExact(length) + 4).order(ByteOrder.LITTLE_ENDIAN);
            fill(record, at + HEAD);
            int found = record.getInt((int) length);
            if (found != sum(record.limit((int) length))) return at;
            long of = stepOf(record);
            if (of > last) return at;
            step = of;
            at += HEAD + length + 4;
        }
        return at;
    }

    private void fill(ByteBuffer bytes, long at) throws IOException {
        while (bytes.hasRemaining() && channel.read(bytes, at + bytes.position()) >= 0) {}
        bytes.flip();
    }

    /** Of an event as {@link #event} begins it. */
    private static long stepOf(ByteBuffer event) {
        long value = 0;
        int at = 10;
        for (int shift = 0; at < event.limit(); shift += 7) {
            byte b = event.get(at++);
            value |= (b & 0x7FL) << shift;
            if (b >= 0) break;
        }
        return value;
    }

    private static Protobuf event(long step) {
        return new Protobuf().put(1, 1e-3 * System.currentTimeMillis()).put(2, step);
    }

    /** @param at not below that of the last event */
    public void append(long at, Values values) {
        AtomicFile.onDisk(file, () -> {
            write(at, event(at).put(5, values.summary));
            return file;
        });
    }

    private void write(long at, Protobuf event) throws IOException {
        byte[] data = event.bytes();
        ByteBuffer record = ByteBuffer.allocate(HEAD + data.length + 4).order(ByteOrder.LITTLE_ENDIAN);
        record.putLong(data.length).putInt(sum(record.duplicate().flip()));
        record.put(data).putInt(sum(ByteBuffer.wrap(data)));
        AtomicFile.writeFully(channel, record.flip());
        step = at;
    }

    /** CRC-32C, turned and shifted so that the sum of bytes which hold sums is not special. */
    private static int sum(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate().rewind());
        return Integer.rotateRight((int) crc.getValue(), 15) + 0xA282EAD8;
    }

    @Override
    public void close() {
        AtomicFile.onDisk(file, () -> {
            channel.close();
            return file;
        });
    }
}
