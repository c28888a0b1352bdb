package io.basin.cuda;

import io.basin.device.Arena;
import io.basin.device.Control;
import io.basin.device.Spec;
import io.basin.device.Storage;

/** The fused update: one launch over whole arenas, 16 bytes at a time. */
final class CudaStep {
    private static final int QUAD = 16;

    private CudaStep() {}

    static Launch of(CudaDevice device, Spec.Step spec, Storage storage, Control control) {
        int quads = Math.toIntExact(storage.paramBytes() / QUAD);
        int split = Math.toIntExact(storage.splitBytes() / QUAD);
        return new Launch(device.context(), device.kernels().get("step.cu", "step"), "step")
                .shape(device.kernels().blocks(quads, 256), 1, 256, 1)
                .arg(CudaDevice.place(storage.memory(Arena.PARAMS)))
                .arg(CudaDevice.place(storage.memory(Arena.GRADS)))
                .arg(CudaDevice.place(storage.memory(Arena.MOMENTUM)))
                .arg(CudaDevice.place(storage.memory(Arena.AVERAGE)))
                .arg(CudaDevice.place(control))
                .arg(control.steps())
                .arg(quads)
                .arg(split)
                .arg((float) spec.momentum())
                .arg((float) spec.weightDecay())
                .arg(spec.nesterov());
    }
}
