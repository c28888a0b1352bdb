package io.basin.cpu;

import io.basin.data.Augment;
import io.basin.data.Augmentation;
import io.basin.device.BatchOp;
import io.basin.device.Binding;
import io.basin.device.Control;
import io.basin.device.Images;
import io.basin.device.Scope;
import io.basin.device.Slot;
import io.basin.device.Spec;
import io.basin.device.Tensor;
import io.basin.random.Permutation;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.function.IntConsumer;
import org.bytedeco.dnnl.memory;

/**
 * Draws the batch of step t. Shuffled: samples [i B, (i + 1) B) of epoch t / S in its keyed order, i = t mod S, where S
 * counts the whole batches of an epoch; the samples left over are other ones each epoch. Otherwise samples [t B, (t + 1)
 * B) as they lie, with rows past the end zero and labelled -1.
 */
final class CpuBatch extends CpuOp implements BatchOp, IntConsumer {
    private final Crew crew;
    private final Spec.Batch spec;
    private final Images images;
    private final Slot labelSlot;
    private final Augment augment;
    private final Permutation order;
    private final int features;
    private final boolean augmented;
    private final ByteBuffer pixels;
    private final IntBuffer allLabels;
    private final ByteBuffer counters;
    private final ThreadLocal<float[]> sample;
    private FloatBuffer values;
    private IntBuffer labels;
    private long epoch;
    private int first;

    CpuBatch(Dnnl dnnl, Crew crew, Scope scope, Spec.Batch spec, Images images, Control control) {
        super(dnnl, scope);
        this.crew = crew;
        this.spec = spec;
        this.images = images;
        if (spec.shuffled() && spec.batch() > images.count()) {
            throw new IllegalArgumentException(
                    "--batch-size " + spec.batch() + " exceeds the " + images.count() + " training samples");
        }
        features = images.height() * images.width() * images.channels();
        augment = new Augment(
                new Augmentation(spec.pad(), spec.flip(), spec.mean(), spec.std()),
                images.height(),
                images.width(),
                images.channels());
        augmented = spec.pad() > 0 || spec.flip();
        order = new Permutation(images.count());
        sample = ThreadLocal.withInitial(() -> new float[features]);
        memory.desc desc = Dnnl.plain(images.sample().batched(spec.batch()), Dnnl.F32);
        Slot value = scope.value(desc.get_size());
        output(new Tensor(name(), images.sample().batched(spec.batch()), new CpuLayout(desc), value, null));
        labelSlot = scope.kept(4L * spec.batch());
        pixels = ((CpuMemory) images.pixels()).bytes(0, images.pixels().bytes());
        allLabels =
                ((CpuMemory) images.labels()).bytes(0, images.labels().bytes()).asIntBuffer();
        counters = ((CpuMemory) control.memory()).bytes(0, Control.TABLES);
        reach.add("the image set", images.pixels())
                .add("the image set", images.labels())
                .add("the control block", control.memory());
        forward(this::draw);
        onBind(this::locate);
    }

    @Override
    public Slot labels() {
        return labelSlot;
    }

    private void locate(Binding binding) {
        values = floats(binding, output().value());
        labels = ((CpuMemory) binding.memory(labelSlot.arena()))
                .bytes(labelSlot.offset(), labelSlot.bytes())
                .asIntBuffer();
    }

    private void draw() {
        long step = counters.getLong(Control.STEP);
        if (spec.shuffled()) {
            long batches = images.count() / spec.batch();
            epoch = step / batches;
            first = (int) (step % batches) * spec.batch();
            order.key(spec.seed(), epoch);
        } else {
            first = Math.toIntExact(step * spec.batch());
        }
        crew.run(spec.batch(), this);
    }

    /** Draws one row; called by any thread of the crew. */
    @Override
    public void accept(int row) {
        float[] out = sample.get();
        int place = first + row;
        if (place >= images.count()) {
            java.util.Arrays.fill(out, 0);
            labels.put(row, -1);
        } else {
            int index = spec.shuffled() ? order.at(place) : place;
            augment.into(pixels, index, spec.seed(), epoch, augmented, out, 0);
            labels.put(row, allLabels.get(index));
        }
        values.put(row * features, out, 0, features);
    }
}
