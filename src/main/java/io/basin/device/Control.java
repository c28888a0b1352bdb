package io.basin.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;

/**
 * The device-side counters and tables which drive a run, so that nothing which changes from step to step comes from
 * the host.
 *
 * <p>Layout in bytes: u64 step counter, f64 loss sum, u64 hits, u64 samples seen, u64 step of the first non-finite
 * loss plus one (0: none), padding to {@link #TABLES}, then float lr[steps], float alpha[steps].
 */
public final class Control implements AutoCloseable {
    public static final int STEP = 0;
    public static final int LOSS = 8;
    public static final int HITS = 16;
    public static final int SEEN = 24;
    public static final int BROKEN = 32;
    public static final int TABLES = 64;

    private final Device device;
    private final Guard guard;
    private final Memory memory;
    private final int steps;
    private final ByteBuffer counters = ByteBuffer.allocateDirect(TABLES).order(ByteOrder.nativeOrder());

    /** A control block with tables of {@code lr.length} steps. */
    public Control(Device device, double[] lr, double[] alpha) {
        ByteBuffer tables = tables(lr, alpha);
        this.device = device;
        guard = device.guard().of("the control block");
        steps = lr.length;
        memory = device.allocate(TABLES + 8L * steps);
        try {
            device.upload(memory, TABLES, tables);
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    /** The tables as they lie from byte {@link #TABLES} on. */
    public static ByteBuffer tables(double[] lr, double[] alpha) {
        if (lr.length != alpha.length) throw new IllegalArgumentException("lr and alpha tables differ in length");
        ByteBuffer tables = ByteBuffer.allocateDirect(8 * lr.length).order(ByteOrder.nativeOrder());
        for (double v : lr) tables.putFloat((float) v);
        for (double v : alpha) tables.putFloat((float) v);
        return tables.flip();
    }

    /** A control block without tables, as evaluation needs it. */
    public Control(Device device) {
        this(device, new double[0], new double[0]);
    }

    public Memory memory() {
        return memory;
    }

    public int steps() {
        return steps;
    }

    /** Byte offset of lr[step]; alpha[step] lies {@code 4 * steps()} bytes further. */
    public long rate(long step) {
        return TABLES + 4 * step;
    }

    /**
     * What the device counted since the last {@link #start}.
     *
     * @param loss sum over samples, in nats
     * @param broken the first step whose loss was not finite, or -1
     */
    public record Totals(long step, double loss, long hits, long seen, long broken) {
        public double meanLoss() {
            return loss / seen;
        }

        public double accuracy() {
            return (double) hits / seen;
        }
    }

    /** The counters as the work enqueued so far leaves them; only {@code get} waits. */
    public Supplier<Totals> fetch() {
        Reading reading = guard.get(() -> device.read(memory, 0, TABLES));
        return () -> {
            ByteBuffer read = reading.await();
            return new Totals(
                    read.getLong(STEP),
                    read.getDouble(LOSS),
                    read.getLong(HITS),
                    read.getLong(SEEN),
                    read.getLong(BROKEN) - 1);
        };
    }

    /** Reads the counters; waits for the device. */
    public Totals read() {
        return fetch().get();
    }

    /** Sets the step counter and the sums: zero at the start of an epoch, a checkpoint's when a run resumes. */
    public void start(Totals totals) {
        guard.run(() -> put(totals));
    }

    private void put(Totals totals) {
        counters.clear();
        counters.putLong(STEP, totals.step())
                .putDouble(LOSS, totals.loss())
                .putLong(HITS, totals.hits())
                .putLong(SEEN, totals.seen())
                .putLong(BROKEN, totals.broken() + 1);
        device.upload(memory, 0, counters);
    }

    /** Sets the step counter and zeroes the sums. */
    public void start(long step) {
        start(new Totals(step, 0, 0, 0, -1));
    }

    @Override
    public void close() {
        guard.close(memory::close);
    }
}
