package io.basin.cpu;

import io.basin.device.Augment;
import io.basin.device.BatchReader;
import io.basin.device.Images;
import io.basin.device.Op;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Slot;
import io.basin.random.Permutation;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.function.IntConsumer;
import org.bytedeco.dnnl.memory;

/**
 * Draws the batch of step t. Shuffled: samples [i B, (i + 1) B) of epoch t / S in its keyed order, i = t mod S, where S
 * counts the whole batches of an epoch; the samples left over are other ones each epoch. Otherwise samples [t B, (t + 1)
 * B) as they lie, with rows past the end zero and labelled -1.
 */
@SuppressWarnings("NullAway.Init") // Binding sets the addresses.
final class CpuBatch extends CpuOp implements Op.Batch, IntConsumer {
    private final WorkerPool crew;
    private final BatchReader spec;
    private final Images images;
    private final Slot labelSlot;
    private final Augment augment;
    private final Permutation order;
    private final int features;
    private final ByteBuffer pixels;
    private final FloatBuffer floats;
    private final int labelWidth;
    private final IntBuffer allLabels;
    private final ByteBuffer counters;
    /** (2, features): a row's sample, and the one that it is mixed with. */
    private final ThreadLocal<float[][]> samples;

    private FloatBuffer values;
    private IntBuffer labels;
    private long epoch;
    private int first;

    CpuBatch(Dnnl dnnl, WorkerPool crew, PlanContext scope, BatchReader spec, Images images, RunState control) {
        super(dnnl, scope);
        this.crew = crew;
        this.spec = spec;
        this.images = images;
        spec.requireFit(images);
        features = images.height() * images.width() * images.channels();
        augment = new Augment(spec.augmentation(), images.height(), images.width(), images.channels());
        order = new Permutation(images.count());
        samples = ThreadLocal.withInitial(() -> new float[2][features]);
        memory.desc desc = Dnnl.plain(images.sample().batched(spec.batch()), Dnnl.F32);
        result(images.sample().batched(spec.batch()), new CpuLayout(desc));
        labelWidth = images.labelWidth();
        labelSlot = scope.kept(spec.labelBytes(images));
        Images.Host host = images.host();
        // The host's memory is this device's: samples that would stream to another device are read in place.
        pixels = host != null ? host.pixels() : CpuMemory.bytes(images.pixels());
        floats = pixels.asFloatBuffer();
        allLabels = (host != null ? host.labels() : CpuMemory.bytes(images.labels())).asIntBuffer();
        counters = CpuMemory.counters(control);
        reach.add("the image set", images.pixels())
                .add("the image set", images.labels())
                .add("the control block", control.memory());
        forward(this::draw);
        onBind(binding -> {
            values = CpuMemory.floats(binding, output().value());
            labels = CpuMemory.bytes(binding, labelSlot).asIntBuffer();
        });
    }

    @Override
    public Slot labels() {
        return labelSlot;
    }

    private void draw() {
        long step = counters.getLong(RunState.STEP);
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
        float[] out = samples.get()[0];
        int place = first + row;
        if (place >= images.count()) {
            Arrays.fill(out, 0);
            for (int k = 0; k < labelWidth; k++) labels.put(row * labelWidth + k, images.absent());
        } else {
            int index = augment(place, out);
            for (int k = 0; k < labelWidth; k++) {
                labels.put(row * labelWidth + k, allLabels.get(index * labelWidth + k));
            }
            if (spec.mixes()) mix(row, index, out, samples.get()[1]);
        }
        values.put(row * features, out, 0, features);
    }

    /** Draws the sample at a place of the epoch; returns its number. */
    private int augment(int place, float[] out) {
        int index = spec.shuffled() ? order.at(place) : place;
        boolean random = spec.augmentation().random();
        if (images.floats()) augment.into(floats, index, spec.seed(), epoch, random, out, 0);
        else augment.into(pixels, index, spec.seed(), epoch, random, out, 0);
        return index;
    }

    /** Draws the next row's sample once more, which no row then waits for. */
    private void mix(int row, int index, float[] out, float[] other) {
        int partner = augment(first + (row + 1) % spec.batch(), other);
        float share = augment.share(index, spec.seed(), epoch);
        Augment.mix(out, other, share);
        labels.put(spec.batch() + row, allLabels.get(partner));
        labels.put(2 * spec.batch() + row, Float.floatToRawIntBits(share));
    }
}
