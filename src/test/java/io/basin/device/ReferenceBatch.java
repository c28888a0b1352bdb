package io.basin.device;

import io.basin.device.Augment;
import io.basin.device.Augmentation;
import io.basin.random.Permutation;
import java.nio.ByteBuffer;

/** Batches by their definition; crops and flips are {@link Augment}'s, which has tests of its own. */
final class ReferenceBatch extends ReferenceOp implements BatchOp {
    private final BatchReader spec;
    private final Images images;
    private final RunState control;
    private final Slot labels;

    ReferenceBatch(PlanContext scope, BatchReader spec, Images images, RunState control) {
        super(scope);
        this.spec = spec;
        this.images = images;
        this.control = control;
        Shape shape = images.sample().batched(spec.batch());
        Layout layout = new ReferenceDevice.Plain(shape.elements());
        output(new Tensor(name(), shape, layout, scope.value(layout.bytes()), null));
        labels = scope.kept(4L * spec.batch());
        forward(this::draw);
    }

    @Override
    public Slot labels() {
        return labels;
    }

    private void draw() {
        long step = ((ReferenceMemory) control.memory()).raw().getLong(RunState.STEP);
        long perEpoch = images.count() / spec.batch();
        long epoch = spec.shuffled() ? step / perEpoch : 0;
        long first = (spec.shuffled() ? step % perEpoch : step) * spec.batch();
        for (int row = 0; row < spec.batch(); row++) {
            long place = first + row;
            if (place >= images.count()) {
                view(labels).set(row, -1);
                fill(row, new float[(int) images.sample().elements()]);
                continue;
            }
            int index = spec.shuffled() ? Permutation.at((int) place, images.count(), spec.seed(), epoch) : (int) place;
            ByteBuffer all = ((ReferenceMemory) images.labels()).raw();
            view(labels).set(row, all.getInt(4 * index));
            fill(row, spec.augmentation().random() ? augmented(index, epoch) : plain(index));
        }
    }

    private void fill(int row, float[] sample) {
        for (int i = 0; i < sample.length; i++) value(output()).set(row * sample.length + i, sample[i]);
    }

    private float[] plain(int index) {
        int plane = images.height() * images.width();
        float[] out = new float[images.channels() * plane];
        ByteBuffer pixels = ((ReferenceMemory) images.pixels()).raw();
        for (int c = 0; c < images.channels(); c++) {
            for (int i = 0; i < plane; i++) {
                int pixel = pixels.get((index * plane + i) * images.channels() + c) & 255;
                out[c * plane + i] = (float) ((pixel / 255.0 - spec.augmentation().mean()[c]) / spec.augmentation().std()[c]);
            }
        }
        return out;
    }

    private float[] augmented(int index, long epoch) {
        float[] out = new float[(int) images.sample().elements()];
        new Augment(
                        spec.augmentation(),
                        images.height(),
                        images.width(),
                        images.channels())
                .into(((ReferenceMemory) images.pixels()).raw(), index, spec.seed(), epoch, spec.shuffled(), out, 0);
        return out;
    }
}
