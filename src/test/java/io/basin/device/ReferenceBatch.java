package io.basin.device;

import io.basin.random.Permutation;
import java.nio.ByteBuffer;

/** Batches by their definition; crops and flips are {@link Augment}'s, which has tests of its own. */
final class ReferenceBatch extends ReferenceOp implements Op.Batch {
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
        labels = scope.kept(spec.labelBytes(images));
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
                for (int k = 0; k < images.labelWidth(); k++) {
                    view(labels).set(row * images.labelWidth() + k, images.targets() ? Double.NaN : -1);
                }
                fill(row, new float[(int) images.sample().elements()]);
                continue;
            }
            int index = spec.shuffled() ? Permutation.at((int) place, images.count(), spec.seed(), epoch) : (int) place;
            ByteBuffer all = ((ReferenceMemory) images.labels()).raw();
            for (int k = 0; k < images.labelWidth(); k++) {
                int at = index * images.labelWidth() + k;
                view(labels)
                        .set(
                                row * images.labelWidth() + k,
                                images.targets() ? all.getFloat(4 * at) : all.getInt(4 * at));
            }
            float[] sample = spec.augmentation().random() ? augmented(index, epoch) : plain(index);
            if (spec.mixes()) {
                int next = Permutation.at((int) (first + (row + 1) % spec.batch()), images.count(), spec.seed(), epoch);
                mix(row, sample, index, next, epoch);
            }
            fill(row, sample);
        }
    }

    private void mix(int row, float[] sample, int index, int next, long epoch) {
        float[] other = augmented(next, epoch);
        float share = augment().share(index, spec.seed(), epoch);
        for (int i = 0; i < sample.length; i++) sample[i] = share * sample[i] + (1 - share) * other[i];
        view(labels)
                .set(
                        spec.batch() + row,
                        ((ReferenceMemory) images.labels()).raw().getInt(4 * next));
        view(labels).set(2 * spec.batch() + row, share);
    }

    private Augment augment() {
        return new Augment(spec.augmentation(), images.height(), images.width(), images.channels());
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
                int at = (index * plane + i) * images.channels() + c;
                double value = images.floats() ? pixels.getFloat(4 * at) : (pixels.get(at) & 255) / 255.0;
                out[c * plane + i] = (float) ((value - spec.augmentation().mean()[c])
                        / spec.augmentation().std()[c]);
            }
        }
        return out;
    }

    private float[] augmented(int index, long epoch) {
        float[] out = new float[(int) images.sample().elements()];
        Augment augment = augment();
        ByteBuffer raw = ((ReferenceMemory) images.pixels()).raw();
        if (images.floats()) augment.into(raw.asFloatBuffer(), index, spec.seed(), epoch, spec.shuffled(), out, 0);
        else augment.into(raw, index, spec.seed(), epoch, spec.shuffled(), out, 0);
        return out;
    }
}
