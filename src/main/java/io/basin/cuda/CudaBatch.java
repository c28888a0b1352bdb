package io.basin.cuda;

import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Binding;
import io.basin.device.Images;
import io.basin.device.Op;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Draws the batch of the step that the control block counts: one block a sample, see {@code kernels/batch.cu}. */
final class CudaBatch extends CudaOp implements Op.Batch {
    private final Slot labels;
    private final ByteBuffer table;
    private final KernelArg tablePlace;
    private long uploaded;

    CudaBatch(CudaDevice device, PlanContext scope, BatchReader spec, Images images, RunState control) {
        super(device, scope);
        spec.requireFit(images);
        reach.add("the image set", images.pixels())
                .add("the image set", images.labels())
                .add("the control block", control.memory());
        Shape shape = images.sample().batched(spec.batch());
        Tensor y = result(shape, CudaLayout.of(shape, narrow));
        labels = scope.kept(4L * images.labelWidth() * spec.batch());
        Augmentation a = spec.augmentation();
        float[] values = images.floats() ? moments(a) : a.table();
        table = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        table.asFloatBuffer().put(values);
        tablePlace = place(throughout(scope.kept(table.capacity())));
        forward(launch("batch.cu", typed(images.floats() ? "batchFloats" : "batch"))
                .shape(spec.batch(), 1, 256, 1)
                .args(value(y), place(labels), images.pixels(), images.labels(), tablePlace, control.memory())
                .args(spec.batch(), images.count(), images.height(), images.width(), images.channels())
                .args(spec.seed(), a.pad(), a.flip(), spec.shuffled(), images.labelWidth(), images.absent()));
        onBind(this::upload);
    }

    /** Makes a slot outlive the step: its contents are written once. */
    static Slot throughout(Slot slot) {
        slot.alive(0);
        slot.alive(Integer.MAX_VALUE);
        return slot;
    }

    /** (C, 2): what float32 values are normalised by. */
    private static float[] moments(Augmentation a) {
        float[] moments = new float[2 * a.channels()];
        for (int c = 0; c < a.channels(); c++) {
            moments[2 * c] = a.mean()[c];
            moments[2 * c + 1] = a.std()[c];
        }
        return moments;
    }

    /** What every pixel value becomes; computed on the host, so that all devices have the same bits. */
    private void upload(Binding binding) {
        if (uploaded == tablePlace.address().value()) return;
        uploaded = tablePlace.address().value();
        device.upload(
                binding.memory(tablePlace.slot().arena()), tablePlace.slot().offset(), table.duplicate());
    }

    @Override
    public Slot labels() {
        return labels;
    }
}
