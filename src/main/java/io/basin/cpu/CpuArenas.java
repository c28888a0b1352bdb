package io.basin.cpu;

import com.sun.jna.Native;
import com.sun.jna.Pointer;
import io.basin.Nullable;
import io.basin.device.Arena;
import io.basin.device.Arenas;
import io.basin.device.Coefficients;
import io.basin.device.ForeignStep.Role;
import io.basin.device.Guard;
import io.basin.device.Memory;
import io.basin.device.Optimizer;
import io.basin.device.ParameterStore;
import io.basin.device.PredictionSum;
import io.basin.device.Reach;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.UpdateRule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.function.IntConsumer;

/** Elementwise passes over whole arenas, shared out among the crew: in C where {@code kernels/step.c} was built, else in plain Java. */
final class CpuArenas extends Arenas {
    private static final int TILE = 256;

    private final Guard guard;
    private final WorkerPool crew;
    private final boolean kernel;

    /** @param kernel whether C may do it */
    CpuArenas(Guard guard, WorkerPool crew, boolean kernel) {
        super(guard, Reach::requireOpen);
        this.guard = guard;
        this.crew = crew;
        this.kernel = kernel;
    }

    /**
     * One step, driven by the control block: after a loss that was not a number nothing moves any more, so the weights stay those
     * from before it.
     *
     * @param scalars of each step, computed beforehand so that a step computes and allocates none
     */
    private Runnable step(
            Optimizer rule, CpuUpdate.Strip strip, RunState state, float[][] scalars, @Nullable Row row, int point) {
        CpuUpdate update = new CpuUpdate(crew, rule, List.of(strip), kernel);
        boolean averages = strip.floats()[Role.A.ordinal()] != null;
        ByteBuffer tables = CpuMemory.bytes(state.memory());
        return () -> {
            if (tables.getLong(RunState.BROKEN) != 0) return;
            int t = step(state, tables);
            int at = Math.toIntExact(state.rate(t));
            update.lr = tables.getFloat(at);
            update.alpha = averages ? tables.getFloat(at + Float.BYTES * state.steps()) : 0;
            update.pull = averages && state.pulls() ? tables.getFloat(at + 2 * Float.BYTES * state.steps()) : 0;
            if (row != null) update.coefficient = row.at(point);
            if (scalars.length > 0) update.scalars = scalars[t];
            update.run();
        };
    }

    /** @param at of a curve, the point on it; else null */
    private static CpuUpdate.Strip strip(ParameterStore s, Map<Role, Memory> arenas, @Nullable Memory at) {
        FloatBuffer[] floats = new FloatBuffer[CpuUpdate.AT + 1];
        long[] addresses = new long[floats.length];
        for (int k = 0; k < floats.length; k++) {
            Memory memory = k == CpuUpdate.AT ? at : arenas.get(Role.values()[k]);
            if (memory == null) continue;
            floats[k] = CpuMemory.floats(memory);
            addresses[k] = CpuMemory.address(memory);
        }
        return new CpuUpdate.Strip(elements(s.paramBytes()), elements(s.splitBytes()), floats, addresses);
    }

    private static int elements(long bytes) {
        return Math.toIntExact(bytes / Float.BYTES);
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
        return step(spec, strip(s, arenas(s, 1), null), control, new float[0][], null, 0);
    }

    /** A user's own optimizer, see {@code kernels/update.cu}. */
    @Override
    protected Runnable planStep(UpdateRule own, ParameterStore s, RunState control) {
        return step(own, strip(s, arenas(s, own.moments()), null), control, control.scalars(own), null, 0);
    }

    private static Map<Role, Memory> arenas(ParameterStore s, int moments) {
        Map<Role, Memory> arenas = new EnumMap<>(Role.class);
        arenas.put(Role.W, s.memory(Arena.PARAMS));
        arenas.put(Role.G, s.memory(Arena.GRADS));
        if (moments > 0) arenas.put(Role.M, s.memory(ParameterStore.moment(0)));
        if (moments > 1) arenas.put(Role.V, s.memory(ParameterStore.moment(1)));
        arenas.put(Role.A, s.memory(Arena.AVERAGE));
        return arenas;
    }

    @Override
    protected Runnable planCurvePoint(
            Sgd spec, ParameterStore s, Memory point, Memory momentum, Coefficients c, int j, RunState control) {
        Map<Role, Memory> arenas = Map.of(Role.W, point, Role.G, s.memory(Arena.GRADS), Role.M, momentum);
        return step(spec, strip(s, arenas, s.memory(Arena.PARAMS)), control, new float[0][], Row.of(c), j);
    }

    /** A weighted sum of elements {@code i} to {@code i + n - 1}. */
    private interface Range {
        void sum(int i, int n);
    }

    /** 4 bytes a parameter for each point whose c_j is not 0, and 4 for the result. */
    @Override
    protected Runnable planSum(List<Memory> points, Coefficients coefficients, Memory result) {
        Row row = Row.of(coefficients);
        int length = elements(result.bytes());
        int piece = CpuUpdate.piece(length, crew.threads());
        FloatBuffer c = direct(Float.BYTES * points.size()).asFloatBuffer();
        Range range = kernel ? sumInC(points, c, result) : sum(points, c, result);
        IntConsumer work = k -> range.sum(k * piece, Math.min(piece, length - k * piece));
        return () -> {
            for (int j = 0; j < c.capacity(); j++) c.put(j, row.at(j));
            crew.run((int) ((length + (long) piece - 1) / piece), work);
        };
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    private static Range sumInC(List<Memory> points, FloatBuffer c, Memory result) {
        ByteBuffer from = direct(Long.BYTES * points.size());
        for (Memory point : points) from.putLong(CpuMemory.address(point));
        Pointer at = Native.getDirectBufferPointer(from);
        Pointer shares = Native.getDirectBufferPointer(c);
        long to = CpuMemory.address(result);
        int large = StepKernel.large(result.bytes());
        return (i, n) -> StepKernel.basin_combine(
                to, Pointer.nativeValue(at), Pointer.nativeValue(shares), from.capacity() / Long.BYTES, i, n, large);
    }

    private static Range sum(List<Memory> points, FloatBuffer shares, Memory result) {
        FloatBuffer[] from = points.stream().map(CpuMemory::floats).toArray(FloatBuffer[]::new);
        FloatBuffer to = CpuMemory.floats(result);
        ThreadLocal<float[][]> tiles = ThreadLocal.withInitial(() -> new float[2][TILE]);
        return (begin, length) -> {
            float[] sum = tiles.get()[0];
            float[] x = tiles.get()[1];
            for (int i = begin; i < begin + length; i += TILE) {
                int n = Math.min(TILE, begin + length - i);
                boolean first = true;
                for (int j = 0; j < from.length; j++) {
                    float c = shares.get(j);
                    if (c == 0) continue;
                    from[j].get(i, x, 0, n);
                    if (first) scale(sum, x, n, c);
                    else add(sum, x, n, c);
                    first = false;
                }
                if (first) Arrays.fill(sum, 0, n, 0);
                to.put(i, sum, 0, n);
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
