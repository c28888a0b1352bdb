package io.basin.device;

import io.basin.Api;
import io.basin.text.Require;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Supplier;

/**
 * The device-side counters and tables which drive a run, so that nothing which changes from step to step comes from the host.
 *
 * <p>Layout in bytes: u64 step counter, f64 loss sum, u64 hits, u64 samples seen, u64 step of the first non-finite loss plus one
 * (0: none), padding to {@link #TABLES}, then float lr[steps], float alpha[steps] and, of a run that pulls, float pull[steps].
 */
@Api
public final class RunState implements AutoCloseable {
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
    private final boolean pulls;
    private final List<Memory> kept = new ArrayList<>();
    private final ByteBuffer counters = ByteBuffer.allocateDirect(TABLES).order(ByteOrder.nativeOrder());

    /**
     * A control block with tables of {@code lr.length} steps.
     *
     * @param pull how far each step moves the weights toward their average; empty where no step does
     */
    public RunState(Device device, double[] lr, double[] alpha, double... pull) {
        this.device = Require.given("device", device);
        guard = device.guard().of("the control block");
        steps = Require.given("lr", lr).length;
        pulls = Require.given("pull", pull).length > 0;
        memory = device.allocate(block(lr, alpha, pull));
    }

    /** The first content of a control block. */
    public static ByteBuffer block(double[] lr, double[] alpha, double... pull) {
        if (lr.length != Require.given("alpha", alpha).length || pull.length > 0 && pull.length != lr.length)
            throw new IllegalArgumentException("the tables of lr, alpha and pull differ in length");
        int tables = 4 * (2 * lr.length + pull.length);
        ByteBuffer block = ByteBuffer.allocateDirect(TABLES + tables).order(ByteOrder.nativeOrder());
        block.position(TABLES);
        for (double[] table : new double[][] {lr, alpha, pull}) for (double v : table) block.putFloat((float) v);
        return block.flip();
    }

    /** A control block without tables, as evaluation needs it. */
    public RunState(Device device) {
        this(device, new double[0], new double[0]);
    }

    public Memory memory() {
        return memory;
    }

    /** (steps)(n): the numbers of each step that an optimizer's rule asks for, as float32. */
    public float[][] scalars(UpdateRule rule) {
        return scalars(rule, steps);
    }

    /** The same of the first {@code steps} steps. */
    public static float[][] scalars(UpdateRule rule, int steps) {
        float[][] table = new float[steps][];
        for (int t = 0; t < steps; t++) {
            double[] c = rule.scalars(t);
            table[t] = new float[c.length];
            for (int k = 0; k < c.length; k++) table[t][k] = (float) c[k];
        }
        return table;
    }

    /** Keeps memory that an update reads beside the tables open as long as this. */
    public Memory keep(Memory beside) {
        kept.add(beside);
        return beside;
    }

    public int steps() {
        return steps;
    }

    /** Whether there is a table of pulls. */
    public boolean pulls() {
        return pulls;
    }

    /** Byte offset of lr[step]; alpha[step] lies {@code 4 * steps()} bytes further, and pull[step] once more as far. */
    public long rate(long step) {
        return TABLES + 4 * step;
    }

    /** The counters as the work enqueued so far leaves them; only {@code get} waits. */
    public Supplier<EpochMetrics> fetch() {
        Supplier<ByteBuffer> reading = guard.get(() -> device.read(memory, 0, TABLES));
        return () -> {
            ByteBuffer read = reading.get();
            return new EpochMetrics(
                    read.getLong(STEP),
                    read.getDouble(LOSS),
                    read.getLong(HITS),
                    read.getLong(SEEN),
                    read.getLong(BROKEN) - 1);
        };
    }

    /** Reads the counters; waits for the device. */
    public EpochMetrics read() {
        return fetch().get();
    }

    /** Sets the step counter and the sums: zero at the start of an epoch, a checkpoint's when a run resumes. */
    public void start(EpochMetrics totals) {
        guard.run(() -> {
            counters.clear();
            counters.putLong(STEP, totals.step())
                    .putDouble(LOSS, totals.loss())
                    .putLong(HITS, totals.hits())
                    .putLong(SEEN, totals.seen())
                    .putLong(BROKEN, totals.broken() + 1);
            device.upload(memory, 0, counters);
        });
    }

    /** Sets the step counter and zeroes the sums. */
    public void start(long step) {
        start(new EpochMetrics(step, 0, 0, 0, -1));
    }

    @Override
    public void close() {
        guard.close(() -> {
            kept.forEach(Memory::close);
            memory.close();
        });
    }
}
