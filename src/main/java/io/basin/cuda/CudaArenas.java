package io.basin.cuda;

import io.basin.device.Arena;
import io.basin.device.Arenas;
import io.basin.device.Coefficients;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.PredictionSum;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.UpdateRule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Arithmetic over whole arenas, 16 bytes at a time: see {@code kernels/step.cu} and {@code kernels/average.cu}. */
final class CudaArenas extends Arenas {
    private static final int QUAD = 16;

    private final CudaDevice device;

    CudaArenas(CudaDevice device) {
        super(device.guard(), device::require);
        this.device = device;
    }

    private static int quads(long bytes) {
        return Math.toIntExact(bytes / QUAD);
    }

    private static int items(long bytes) {
        return Math.max(1, quads(bytes));
    }

    private Launch launch(String file, String kernel, long bytes) {
        return device.kernels.launch(file, kernel, items(bytes));
    }

    static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    protected Launch planStep(Sgd spec, ParameterStore s, RunState control) {
        Launch launch = launch("step.cu", "step", s.paramBytes())
                .args(s.memory(Arena.PARAMS), s.memory(Arena.GRADS), s.memory(Arena.MOMENTUM), s.memory(Arena.AVERAGE))
                .args(control.memory(), control.steps());
        return rule(launch, spec, s.paramBytes(), s.splitBytes())
                .args(control.pulls(), device.copyOf(s.memory(Arena.PARAMS)));
    }

    /** {@code kernels/update.cu} with the rule's statements in it. */
    @Override
    protected Launch planStep(UpdateRule rule, ParameterStore s, RunState state) {
        float[][] scalars = state.scalars(rule);
        int width = scalars.length == 0 ? 0 : scalars[0].length;
        String source = source(rule, width);
        Memory numbers = state.keep(device.allocate(table(scalars)));
        Memory[] moments = new Memory[2];
        for (int k = 0; k < rule.moments(); k++) moments[k] = s.memory(ParameterStore.moment(k));
        return device.kernels
                .launch(fileName(rule), source, "update", items(s.paramBytes()))
                .args(s.memory(Arena.PARAMS), s.memory(Arena.GRADS), moments[0], moments[1], s.memory(Arena.AVERAGE))
                .args(state.memory(), numbers, state.steps())
                .args(quads(s.paramBytes()), quads(s.splitBytes()), (float) rule.weightDecay())
                .args(state.pulls(), device.copyOf(s.memory(Arena.PARAMS)));
    }

    static ByteBuffer table(float[][] rows) {
        int width = rows.length == 0 ? 0 : rows[0].length;
        ByteBuffer table = direct(Math.max(4, 4 * width * rows.length));
        for (float[] row : rows) for (float c : row) table.putFloat(c);
        return table.clear();
    }

    static String fileName(UpdateRule rule) {
        return rule.name().replaceAll("\\W", "_") + ".cu";
    }

    /** {@code kernels/update.cu} with a rule's statements in it. */
    static String source(UpdateRule rule, int scalars) {
        String statements = rule.cuda();
        if (statements == null) {
            throw new IllegalArgumentException(
                    "the optimizer " + rule.name() + " has no CUDA statements: override cuda(), or use another device");
        }
        return Compiler.EXACT + "#define BASIN_UPDATE " + statements.replaceAll("\\s*\n\\s*", " ")
                + "\n#define BASIN_MOMENTS " + rule.moments() + "\n#define BASIN_SCALARS " + scalars + "\n"
                + Compiler.resource("update.cu");
    }

    /** The arguments of {@code step} and {@code bend} that follow its places and the number of steps. */
    private static Launch rule(Launch launch, Sgd spec, long bytes, long split) {
        float momentum = (float) spec.momentum();
        return launch.args(quads(bytes), quads(split), momentum, (float) spec.weightDecay(), spec.nesterov());
    }

    @Override
    protected Launch planCurvePoint(
            Sgd spec, ParameterStore s, Memory point, Memory momentum, Coefficients c, int j, RunState control) {
        Launch launch = launch("step.cu", "bend", s.paramBytes())
                .args(point, momentum, s.memory(Arena.PARAMS), s.memory(Arena.GRADS))
                .args(control.memory(), control.steps());
        return rule(launch, spec, s.paramBytes(), s.splitBytes()).args(c.memory(), rows(c), c.points(), j);
    }

    @Override
    protected Launch planSum(List<Memory> points, Coefficients c, Memory to) {
        ByteBuffer addresses = direct(8 * points.size());
        for (Memory point : points) {
            addresses.putLong(CudaMemory.at(point, 0, point.bytes()).value());
        }
        return launch("average.cu", "combine", to.bytes())
                .args(to, c.keep(device.allocate(addresses.flip())), points.size(), c.memory(), rows(c))
                .args(c.control() == null ? null : c.control().memory(), quads(to.bytes()), device.copyOf(to));
    }

    private static int rows(Coefficients c) {
        return c.control() == null ? 1 : c.control().steps();
    }

    @Override
    protected Launch planAdvance(RunState control) {
        return device.kernels.launch("step.cu", "tick").args(control.memory());
    }

    @Override
    public PredictionSum predictionSum(int samples, int classes) {
        return device.guard().get(() -> new CudaPredictionSum(device, samples, classes));
    }
}
