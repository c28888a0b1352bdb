package io.basin.cuda;

import io.basin.device.Arena;
import io.basin.device.Coefficients;
import io.basin.device.Memory;
import io.basin.device.Optimizer;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.UpdateRule;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/** Arithmetic over whole arenas, 16 bytes at a time: see {@code kernels/step.cu} and {@code kernels/average.cu}. */
final class CudaArenas {
    private static final int QUAD = 16;

    private CudaArenas() {}

    private static int quads(long bytes) {
        return Math.toIntExact(bytes / QUAD);
    }

    private static Launch launch(CudaDevice device, String file, String kernel, long bytes) {
        int blocks = device.kernels().blocks(Math.max(1, quads(bytes)), 256);
        return new Launch(device.context(), device.kernels().get(file, kernel), kernel).shape(blocks, 1, 256, 1);
    }

    static Launch step(CudaDevice device, Optimizer optimizer, ParameterStore storage, RunState control) {
        if (optimizer instanceof UpdateRule rule) return update(device, rule, storage, control);
        return step(device, (Sgd) optimizer, storage, control);
    }

    private static Launch step(CudaDevice device, Sgd spec, ParameterStore storage, RunState control) {
        Launch launch = launch(device, "step.cu", "step", storage.paramBytes())
                .arg(CudaDevice.place(storage.memory(Arena.PARAMS)))
                .arg(CudaDevice.place(storage.memory(Arena.GRADS)))
                .arg(CudaDevice.place(storage.memory(Arena.MOMENTUM)))
                .arg(CudaDevice.place(storage.memory(Arena.AVERAGE)))
                .arg(CudaDevice.place(control))
                .arg(control.steps());
        return rule(launch, spec, storage.paramBytes(), storage.splitBytes());
    }

    /** {@code kernels/update.cu} with the rule's statements in it. */
    private static Launch update(CudaDevice device, UpdateRule rule, ParameterStore storage, RunState state) {
        if (rule.cuda() == null) {
            throw new IllegalArgumentException(
                    "the optimizer " + rule.name() + " has no CUDA statements: override cuda(), or use another device");
        }
        float[][] scalars = state.scalars(rule);
        int width = scalars.length == 0 ? 0 : scalars[0].length;
        ByteBuffer table = ByteBuffer.allocateDirect(Math.max(4, 4 * width * scalars.length))
                .order(ByteOrder.nativeOrder());
        for (float[] row : scalars) for (float c : row) table.putFloat(c);
        Memory uploaded = state.keep(device.allocate(table.capacity()));
        device.upload(uploaded, 0, table.clear());
        String source = "#define BASIN_UPDATE " + rule.cuda().replaceAll("\\s*\n\\s*", " ") + "\n#define BASIN_MOMENTS "
                + rule.moments() + "\n#define BASIN_SCALARS " + width + "\n" + Compiler.resource("update.cu");
        String name = rule.name().replaceAll("\\W", "_") + ".cu";
        int blocks = device.kernels().blocks(Math.max(1, quads(storage.paramBytes())), 256);
        Launch launch = new Launch(device.context(), device.kernels().compileExactly(name, source, "update"), name)
                .shape(blocks, 1, 256, 1)
                .arg(CudaDevice.place(storage.memory(Arena.PARAMS)))
                .arg(CudaDevice.place(storage.memory(Arena.GRADS)));
        for (int k = 0; k < 2; k++) {
            boolean kept = k < rule.moments();
            launch.arg(kept ? CudaDevice.place(storage.memory(ParameterStore.moment(k))) : null);
        }
        return launch.arg(CudaDevice.place(storage.memory(Arena.AVERAGE)))
                .arg(CudaDevice.place(state))
                .arg(CudaDevice.place(uploaded))
                .arg(state.steps())
                .arg(quads(storage.paramBytes()))
                .arg(quads(storage.splitBytes()))
                .arg((float) rule.weightDecay());
    }

    /** The arguments of {@code step} and {@code bend} that follow its places and the number of steps. */
    static Launch rule(Launch launch, Sgd spec, long bytes, long split) {
        return launch.arg(quads(bytes))
                .arg(quads(split))
                .arg((float) spec.momentum())
                .arg((float) spec.weightDecay())
                .arg(spec.nesterov());
    }

    static Launch stepCurvePoint(
            CudaDevice device,
            Sgd spec,
            ParameterStore storage,
            Memory point,
            Memory momentum,
            Coefficients c,
            int j,
            RunState control) {
        c.requireBend(j, point, momentum, storage);
        Launch launch = launch(device, "step.cu", "bend", storage.paramBytes())
                .arg(CudaDevice.place(point))
                .arg(CudaDevice.place(momentum))
                .arg(CudaDevice.place(storage.memory(Arena.PARAMS)))
                .arg(CudaDevice.place(storage.memory(Arena.GRADS)))
                .arg(CudaDevice.place(control))
                .arg(control.steps());
        return rule(launch, spec, storage.paramBytes(), storage.splitBytes())
                .arg(CudaDevice.place(c.memory()))
                .arg(rows(c))
                .arg(c.points())
                .arg(j);
    }

    static Launch weightedSum(CudaDevice device, List<Memory> points, Coefficients c, Memory to) {
        c.requireCombination(points, to);
        ByteBuffer addresses = ByteBuffer.allocateDirect(8 * points.size()).order(ByteOrder.nativeOrder());
        for (Memory point : points) {
            addresses.putLong(((CudaMemory) point).at(0, point.bytes()).value());
        }
        Memory table = c.keep(device.allocate(addresses.capacity()));
        device.upload(table, 0, addresses.flip());
        return launch(device, "average.cu", "combine", to.bytes())
                .arg(CudaDevice.place(to))
                .arg(CudaDevice.place(table))
                .arg(points.size())
                .arg(CudaDevice.place(c.memory()))
                .arg(rows(c))
                .arg(c.control() == null ? null : CudaDevice.place(c.control()))
                .arg(quads(to.bytes()));
    }

    private static int rows(Coefficients c) {
        return c.control() == null ? 1 : c.control().steps();
    }
}
