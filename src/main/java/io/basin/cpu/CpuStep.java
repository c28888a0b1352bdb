package io.basin.cpu;

import io.basin.device.Arena;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.function.IntConsumer;

/**
 * The fused update: one pass over the arenas, 20 bytes a parameter, 28 where the step averages.
 *
 * <pre>
 *   v = mu v + (g + wd w)        wd only before the split
 *   w = w - lr[t] v              Nesterov: w - lr[t] ((g + wd w) + mu v)
 *   a = a + alpha[t] (w - a)     only where alpha[t] != 0
 * </pre>
 *
 * <p>HotSpot vectorises loops over float[] but not over direct buffers. So a tile of 256 floats of each arena passes
 * through small arrays that stay in the first-level cache; with larger tiles the JVM copies through wide stores, at half
 * the speed.
 */
final class CpuStep implements Runnable, IntConsumer {
    private static final int TILE = 256;
    /** The least that a thread claims at a time: long enough to hide the claim. */
    private static final int LEAST_PIECE = 64 * TILE;

    /** More make up for a thread that starts late; fewer are faster, for memory likes long runs from one thread. */
    private static final int PIECES_PER_THREAD = 8;

    /** One thread's tiles. */
    private static final class Tiles {
        final float[] w = new float[TILE];
        final float[] g = new float[TILE];
        final float[] v = new float[TILE];
        final float[] a = new float[TILE];
    }

    private final WorkerPool crew;
    private final RunState control;
    private final Sgd spec;
    private final int length;
    private final int piece;
    private final int split;
    private final ByteBuffer tables;
    private final FloatBuffer params;
    private final FloatBuffer grads;
    private final FloatBuffer momentum;
    private final FloatBuffer average;
    private final ThreadLocal<Tiles> tiles = ThreadLocal.withInitial(Tiles::new);
    private float lr;
    private float alpha;

    CpuStep(WorkerPool crew, Sgd spec, ParameterStore storage, RunState control) {
        this.crew = crew;
        this.spec = spec;
        this.control = control;
        length = Math.toIntExact(storage.paramBytes() / 4);
        int share = length / (PIECES_PER_THREAD * crew.threads());
        piece = Math.max(LEAST_PIECE, share / TILE * TILE);
        split = Math.toIntExact(storage.splitBytes() / 4);
        CpuMemory table = (CpuMemory) control.memory();
        tables = table.bytes(0, table.bytes());
        params = floats(storage, Arena.PARAMS);
        grads = floats(storage, Arena.GRADS);
        momentum = floats(storage, Arena.MOMENTUM);
        average = floats(storage, Arena.AVERAGE);
    }

    private static FloatBuffer floats(ParameterStore storage, Arena arena) {
        CpuMemory memory = (CpuMemory) storage.memory(arena);
        return memory.floats(0, memory.bytes());
    }

    /** After a loss that was no number nothing moves any more: the weights stay those from before it. */
    @Override
    public void run() {
        if (tables.getLong(RunState.BROKEN) != 0) return;
        long t = tables.getLong(RunState.STEP);
        if (t >= control.steps()) {
            throw new IllegalStateException("step " + t + " lies beyond the schedule's " + control.steps() + " steps");
        }
        int at = Math.toIntExact(control.rate(t));
        lr = tables.getFloat(at);
        alpha = tables.getFloat(at + 4 * control.steps());
        crew.run((length + piece - 1) / piece, this);
    }

    /** Updates one piece; called by any thread of the crew. */
    @Override
    public void accept(int number) {
        Tiles t = tiles.get();
        int begin = number * piece;
        int end = (int) Math.min(length, (long) begin + piece);
        for (int i = begin; i < end; i += TILE) {
            int n = Math.min(TILE, end - i);
            // Slots are 64 floats apart or more, so the split may lie within a tile.
            if (i < split && split < i + n) {
                tile(t, i, split - i, true);
                tile(t, split, i + n - split, false);
            } else {
                tile(t, i, n, i < split);
            }
        }
    }

    private void tile(Tiles t, int i, int n, boolean decayed) {
        float wd = decayed ? (float) spec.weightDecay() : 0;
        float mu = (float) spec.momentum();
        params.get(i, t.w, 0, n);
        grads.get(i, t.g, 0, n);
        momentum.get(i, t.v, 0, n);
        if (spec.nesterov()) {
            nesterov(t.w, t.g, t.v, n, mu, wd, lr);
        } else {
            heavyBall(t.w, t.g, t.v, n, mu, wd, lr);
        }
        params.put(i, t.w, 0, n);
        momentum.put(i, t.v, 0, n);
        if (alpha == 0) return;
        average.get(i, t.a, 0, n);
        average(t.a, t.w, n, alpha);
        average.put(i, t.a, 0, n);
    }

    private static void heavyBall(float[] w, float[] g, float[] v, int n, float mu, float wd, float lr) {
        for (int i = 0; i < n; i++) {
            float x = mu * v[i] + (g[i] + wd * w[i]);
            v[i] = x;
            w[i] = w[i] - lr * x;
        }
    }

    private static void nesterov(float[] w, float[] g, float[] v, int n, float mu, float wd, float lr) {
        for (int i = 0; i < n; i++) {
            float d = g[i] + wd * w[i];
            float x = mu * v[i] + d;
            v[i] = x;
            w[i] = w[i] - lr * (d + mu * x);
        }
    }

    private static void average(float[] a, float[] w, int n, float alpha) {
        for (int i = 0; i < n; i++) a[i] = a[i] + alpha * (w[i] - a[i]);
    }
}
