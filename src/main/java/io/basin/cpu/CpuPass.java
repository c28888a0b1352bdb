package io.basin.cpu;

import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.function.IntConsumer;

/**
 * One elementwise pass over whole arenas, shared out among the crew.
 *
 * <p>HotSpot vectorises loops over float[] but not over direct buffers. So a tile of 256 floats of each arena passes
 * through small arrays that stay in the first-level cache; with larger tiles the JVM copies through wide stores, at half
 * the speed.
 */
abstract class CpuPass implements Runnable, IntConsumer {
    private static final int TILE = 256;
    /** The most arenas that a pass reads. */
    private static final int ARENAS = 5;
    /** The least that a thread claims at a time: long enough to hide the claim. */
    private static final int LEAST_PIECE = 64 * TILE;

    /** More make up for a thread that starts late; fewer are faster, for memory likes long runs from one thread. */
    private static final int PIECES_PER_THREAD = 8;

    private final WorkerPool crew;
    private final int length;
    private final int piece;
    private final int split;
    private final RunState state;
    private final ByteBuffer tables;
    private final ThreadLocal<float[][]> tiles = ThreadLocal.withInitial(() -> new float[ARENAS][TILE]);
    /** Of the present step. */
    float lr;

    float alpha;

    private CpuPass(WorkerPool crew, long bytes, long split, RunState state) {
        this.crew = crew;
        this.state = state;
        this.split = Math.toIntExact(split / Float.BYTES);
        length = Math.toIntExact(bytes / Float.BYTES);
        int share = length / (PIECES_PER_THREAD * crew.threads());
        piece = Math.max(LEAST_PIECE, share / TILE * TILE);
        tables = state == null ? null : bytes(state.memory());
    }

    /** One that knows no steps. */
    CpuPass(WorkerPool crew, long bytes) {
        this(crew, bytes, 0, null);
    }

    /** One that updates the parameters of {@code storage}, step by step. */
    CpuPass(WorkerPool crew, ParameterStore storage, RunState state) {
        this(crew, storage.paramBytes(), storage.splitBytes(), state);
    }

    static FloatBuffer floats(Memory memory) {
        return ((CpuMemory) memory).floats(0, memory.bytes());
    }

    static ByteBuffer bytes(Memory memory) {
        return ((CpuMemory) memory).bytes(0, memory.bytes());
    }

    /** The step that the control block counts; refused where its tables have none. */
    static int step(RunState control, ByteBuffer tables) {
        long t = tables.getLong(RunState.STEP);
        if (t >= control.steps()) {
            throw new IllegalStateException("step " + t + " lies beyond the schedule's " + control.steps() + " steps");
        }
        return (int) t;
    }

    /** After a loss that was no number nothing moves any more: the weights stay those from before it. */
    @Override
    public void run() {
        if (tables.getLong(RunState.BROKEN) != 0) return;
        int t = step(state, tables);
        int at = Math.toIntExact(state.rate(t));
        lr = tables.getFloat(at);
        alpha = tables.getFloat(at + Float.BYTES * state.steps());
        begin(t);
        pass();
    }

    /** Prepares step {@code t}. */
    void begin(int t) {}

    /** Calls {@link #tile} for all elements. */
    final void pass() {
        crew.run((length + piece - 1) / piece, this);
    }

    @Override
    public final void accept(int number) {
        float[][] t = tiles.get();
        int begin = number * piece;
        int end = (int) Math.min(length, (long) begin + piece);
        for (int i = begin; i < end; i += TILE) {
            int n = Math.min(TILE, end - i);
            // Slots are 64 floats apart or more, so the split may lie within a tile.
            int decayed = Math.max(0, Math.min(n, split - i));
            if (decayed > 0) tile(t, i, decayed, true);
            if (decayed < n) tile(t, i + decayed, n - decayed, false);
        }
    }

    /**
     * Does elements {@code i} to {@code i + n - 1}; called by any thread of the crew.
     *
     * @param t arrays to work in
     * @param decayed whether weight decay holds for them
     */
    abstract void tile(float[][] t, int i, int n, boolean decayed);

    /** {@code a = a + alpha (w - a)} where alpha is not 0, by way of {@code a}. */
    final void average(FloatBuffer average, float[] a, float[] w, int i, int n) {
        if (alpha == 0) return;
        average.get(i, a, 0, n);
        average(a, w, n, alpha);
        average.put(i, a, 0, n);
    }

    private static void average(float[] a, float[] w, int n, float alpha) {
        for (int i = 0; i < n; i++) a[i] = a[i] + alpha * (w[i] - a[i]);
    }
}
