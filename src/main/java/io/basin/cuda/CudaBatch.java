package io.basin.cuda;

import io.basin.Nullable;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Binding;
import io.basin.device.Distortion;
import io.basin.device.Images;
import io.basin.device.Op;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import java.nio.ByteBuffer;

/** Draws the batch of the step that the control block counts: one block a sample, see {@code kernels/batch.cu}. */
final class CudaBatch extends CudaOp implements Op.Batch {
    private final Slot labels;
    private final ByteBuffer table;
    private final @Nullable SampleRing ring;
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
        labels = scope.kept(spec.labelBytes(images));
        Images.Host host = images.host();
        ring = host == null ? null : undo.add(new SampleRing(this, device, spec, images, host));
        Augmentation a = spec.augmentation();
        Distortion d = a.distortion();
        table = table(a, images.floats(), spec.mixes());
        tablePlace = place(throughout(scope.kept(table.capacity())));
        forward(launch("batch.cu", typed(images.floats() ? "batchFloats" : "batch"))
                .shape(spec.batch(), 1, 256, 1)
                .args(value(y), place(labels))
                .args(ring != null ? ring.pixels() : images.pixels(), ring != null ? ring.labels() : images.labels())
                .args(tablePlace, control.memory())
                .args(spec.batch(), images.count(), images.height(), images.width(), images.channels())
                .args(spec.seed(), a.pad(), a.flip(), spec.shuffled(), images.labelWidth(), images.absent())
                .args((float) d.jitter(), d.cutout(), spec.mixes(), ring != null ? ring.length() : 0));
        onBind(this::upload);
    }

    /** Makes a slot outlive the step: its contents are written once. */
    static Slot throughout(Slot slot) {
        slot.alive(0);
        slot.alive(Integer.MAX_VALUE);
        return slot;
    }

    /**
     * For uint8 (C, 256): the input for every pixel value. For floats and distorted samples then (C, 2): mean and std. For mixed
     * samples then the quantiles of shares.
     */
    private static ByteBuffer table(Augmentation a, boolean floats, boolean mixes) {
        float[] pixels = floats ? new float[0] : a.table();
        float[] moments = new float[floats || !a.distortion().equals(Distortion.NONE) ? 2 * a.channels() : 0];
        for (int i = 0; i < moments.length; i++) moments[i] = (i % 2 == 0 ? a.mean() : a.std())[i / 2];
        float[] shares = mixes ? a.distortion().quantiles() : new float[0];
        ByteBuffer table = CudaArenas.direct(4 * (pixels.length + moments.length + shares.length));
        table.asFloatBuffer().put(pixels).put(moments).put(shares);
        return table;
    }

    /** Computed on the host, so that all devices have the same bits. */
    private void upload(Binding binding) {
        if (uploaded == tablePlace.address().value()) return;
        uploaded = tablePlace.address().value();
        device.upload(
                binding.memory(tablePlace.slot().arena()), tablePlace.slot().offset(), table.duplicate());
    }

    @Override
    public void supply(long step) {
        if (ring != null) turn("the supply of samples", () -> ring.supply(step));
    }

    @Override
    public Slot labels() {
        return labels;
    }
}
