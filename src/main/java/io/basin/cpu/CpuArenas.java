package io.basin.cpu;

import io.basin.Nullable;
import io.basin.device.Arena;
import io.basin.device.Arenas;
import io.basin.device.Coefficients;
import io.basin.device.Guard;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.PredictionSum;
import io.basin.device.Reach;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.UpdateRule;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * Elementwise passes over whole arenas, shared out among the crew.
 *
 * <p>HotSpot vectorises loops over float[] but not over direct buffers. So a tile of 256 floats of each arena passes
 * through small arrays that stay in the first-level cache; with larger tiles the JVM copies through wide stores, at half
 * the speed.
 */
final class CpuArenas extends Arenas {
    private static final int TILE = 256;
    /** The most arenas that a pass reads. */
    private static final int MOST = 5;
    /** The least that a thread claims at a time: long enough to hide the claim. */
    private static final int LEAST_PIECE = 64 * TILE;

    /** More make up for a thread that starts late; fewer are faster, for memory likes long runs from one thread. */
    private static final int PIECES_PER_THREAD = 8;

    private final Guard guard;
    private final WorkerPool crew;

    CpuArenas(Guard guard, WorkerPool crew) {
        super(guard, Reach::requireOpen);
        this.guard = guard;
        this.crew = crew;
    }

    /** All tiles, one after another. */
    private abstract class Pass implements Runnable, IntConsumer {
        private final int length;
        private final int piece;
        private final int split;
        private final ThreadLocal<float[][]> tiles = ThreadLocal.withInitial(() -> new float[MOST][TILE]);

        Pass(long bytes, long splitBytes) {
            split = Math.toIntExact(splitBytes / Float.BYTES);
            length = Math.toIntExact(bytes / Float.BYTES);
            int share = length / (PIECES_PER_THREAD * crew.threads());
            piece = Math.max(LEAST_PIECE, share / TILE * TILE);
        }

        @Override
        public void run() {
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
    }

    /** Moves {@code n} weights of step {@code s}; {@code t} has the tiles of a {@link Step}'s arenas, in their order. */
    private interface Rule {
        void update(float[][] t, int n, int s, float lr, boolean decayed);
    }

    /**
     * The fused update: 20 bytes a parameter, 28 where the step averages, 24 for a control point.
     *
     * <pre>
     *   a = a + alpha[t] (w - a)     only where alpha[t] != 0, after the rule; of a curve never
     * </pre>
     */
    private final class Step extends Pass {
        private final Rule rule;
        private final RunState state;
        private final ByteBuffer tables;
        private final @Nullable FloatBuffer average;
        private final int fixed;
        private final FloatBuffer[] arenas;
        private int step;
        private float lr;
        private float alpha;

        /**
         * A step of {@code storage}.
         *
         * @param fixed how many of the arenas, the first ones, are only read
         * @param average of the first that is written, or null
         */
        Step(
                ParameterStore storage,
                RunState state,
                Rule rule,
                @Nullable Memory average,
                int fixed,
                List<Memory> arenas) {
            super(storage.paramBytes(), storage.splitBytes());
            this.rule = rule;
            this.state = state;
            this.fixed = fixed;
            tables = CpuMemory.bytes(state.memory());
            this.average = average == null ? null : CpuMemory.floats(average);
            this.arenas = arenas.stream().map(CpuMemory::floats).toArray(FloatBuffer[]::new);
        }

        /** After a loss that was no number nothing moves any more: the weights stay those from before it. */
        @Override
        public void run() {
            if (tables.getLong(RunState.BROKEN) != 0) return;
            step = step(state, tables);
            int at = Math.toIntExact(state.rate(step));
            lr = tables.getFloat(at);
            alpha = tables.getFloat(at + Float.BYTES * state.steps());
            super.run();
        }

        @Override
        void tile(float[][] t, int i, int n, boolean decayed) {
            for (int k = 0; k < arenas.length; k++) arenas[k].get(i, t[k], 0, n);
            rule.update(t, n, step, lr, decayed);
            for (int k = fixed; k < arenas.length; k++) arenas[k].put(i, t[k], 0, n);
            if (average == null || alpha == 0) return;
            average.get(i, t[MOST - 1], 0, n);
            average(t[MOST - 1], t[fixed], n, alpha);
            average.put(i, t[MOST - 1], 0, n);
        }
    }

    private static void average(float[] a, float[] w, int n, float alpha) {
        for (int i = 0; i < n; i++) a[i] = a[i] + alpha * (w[i] - a[i]);
    }

    /** The step that the control block counts; refused where its tables have none. */
    private static int step(RunState control, ByteBuffer tables) {
        long t = tables.getLong(RunState.STEP);
        if (t >= control.steps()) {
            throw new IllegalStateException("step " + t + " lies beyond the schedule's " + control.steps() + " steps");
        }
        return (int) t;
    }

    /** The row of a coefficient table that the step counter points to. */
    private record Row(
            Coefficients c, ByteBuffer table, @Nullable ByteBuffer counters) {
        static Row of(Coefficients c) {
            RunState control = c.control();
            return new Row(c, CpuMemory.bytes(c.memory()), control == null ? null : CpuMemory.counters(control));
        }

        float at(int j) {
            RunState control = c.control();
            int row = control == null || counters == null ? 0 : step(control, counters);
            return table.getFloat(Math.toIntExact(c.at(row, j)));
        }
    }

    @Override
    protected Runnable planStep(Sgd spec, ParameterStore s, RunState control) {
        Rule rule = (t, n, step, lr, decayed) -> move(spec, t[1], t[0], t[1], t[2], n, 1, lr, decayed);
        List<Memory> arenas = List.of(s.memory(Arena.GRADS), s.memory(Arena.PARAMS), s.memory(Arena.MOMENTUM));
        return new Step(s, control, rule, s.memory(Arena.AVERAGE), 1, arenas);
    }

    @Override
    protected Runnable planCurvePoint(
            Sgd spec, ParameterStore s, Memory point, Memory momentum, Coefficients c, int j, RunState control) {
        Row row = Row.of(c);
        Rule rule = (t, n, step, lr, decayed) -> move(spec, t[1], t[0], t[2], t[3], n, row.at(j), lr, decayed);
        List<Memory> arenas = List.of(s.memory(Arena.GRADS), s.memory(Arena.PARAMS), point, momentum);
        return new Step(s, control, rule, null, 2, arenas);
    }

    /**
     * Stochastic gradient descent at w.
     *
     * <pre>
     *   d = c (g + wd w)             wd only before the split; c = 1, of a control point its coefficient
     *   v = mu v + d
     *   p = p - lr[t] v              Nesterov: p - lr[t] (d + mu v); p = w, of a curve the control point
     * </pre>
     */
    private static void move(
            Sgd spec, float[] w, float[] g, float[] p, float[] v, int n, float c, float lr, boolean decayed) {
        float mu = (float) spec.momentum();
        float wd = decayed ? (float) spec.weightDecay() : 0;
        if (spec.nesterov()) nesterov(w, g, v, p, n, c, mu, wd, lr);
        else heavyBall(w, g, v, p, n, c, mu, wd, lr);
    }

    private static void heavyBall(
            float[] w, float[] g, float[] v, float[] p, int n, float c, float mu, float wd, float lr) {
        for (int i = 0; i < n; i++) {
            float x = mu * v[i] + c * (g[i] + wd * w[i]);
            v[i] = x;
            p[i] = p[i] - lr * x;
        }
    }

    private static void nesterov(
            float[] w, float[] g, float[] v, float[] p, int n, float c, float mu, float wd, float lr) {
        for (int i = 0; i < n; i++) {
            float d = c * (g[i] + wd * w[i]);
            float x = mu * v[i] + d;
            v[i] = x;
            p[i] = p[i] - lr * (d + mu * x);
        }
    }

    /** A user's own optimizer, see {@code kernels/update.cu}. */
    @Override
    protected Runnable planStep(UpdateRule own, ParameterStore s, RunState control) {
        // (steps)(scalars), so that a step computes and allocates none.
        float[][] scalars = control.scalars(own);
        int moments = own.moments();
        float[] none = {};
        Rule rule = (t, n, step, lr, decayed) -> {
            float wd = decayed ? (float) own.weightDecay() : 0;
            own.update(n, t[1], t[0], moments > 0 ? t[2] : none, moments > 1 ? t[3] : none, lr, wd, scalars[step]);
        };
        List<Memory> arenas = new ArrayList<>(List.of(s.memory(Arena.GRADS), s.memory(Arena.PARAMS)));
        for (int k = 0; k < moments; k++) arenas.add(s.memory(ParameterStore.moment(k)));
        return new Step(s, control, rule, s.memory(Arena.AVERAGE), 1, arenas);
    }

    /** 4 bytes a parameter for each point whose c_j is not 0, and 4 for the result. */
    @Override
    protected Runnable planSum(List<Memory> points, Coefficients coefficients, Memory result) {
        FloatBuffer[] from = points.stream().map(CpuMemory::floats).toArray(FloatBuffer[]::new);
        FloatBuffer to = CpuMemory.floats(result);
        Row row = Row.of(coefficients);
        return new Pass(result.bytes(), 0) {
            @Override
            void tile(float[][] t, int i, int n, boolean decayed) {
                boolean first = true;
                for (int j = 0; j < from.length; j++) {
                    float c = row.at(j);
                    if (c == 0) continue;
                    from[j].get(i, t[1], 0, n);
                    if (first) scale(t[0], t[1], n, c);
                    else add(t[0], t[1], n, c);
                    first = false;
                }
                if (first) Arrays.fill(t[0], 0, n, 0);
                to.put(i, t[0], 0, n);
            }
        };
    }

    private static void scale(float[] sum, float[] x, int n, float c) {
        for (int i = 0; i < n; i++) sum[i] = c * x[i];
    }

    private static void add(float[] sum, float[] x, int n, float c) {
        for (int i = 0; i < n; i++) sum[i] = sum[i] + c * x[i];
    }

    @Override
    protected Runnable planAdvance(RunState control) {
        ByteBuffer counters = CpuMemory.counters(control);
        return () -> counters.putLong(RunState.STEP, counters.getLong(RunState.STEP) + 1);
    }

    @Override
    public PredictionSum predictionSum(int samples, int classes) {
        return guard.get(() -> new CpuPredictionSum(guard, samples, classes));
    }
}
