package io.basin.train;

import io.basin.Nullable;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Shape;
import io.basin.io.OnFailure;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** A model's evaluation plans, kept between calls: over uploaded sets, and for samples that come from the host. */
final class Predictor implements AutoCloseable {
    /** Samples that an evaluation takes at once. */
    static final int BATCH = 128;

    private record Pass(Images images, BatchReader reader) {}

    private record Kind(boolean floats, int samples) {}

    private record Place(Images images, Evaluator evaluator) {}

    private final NetMemory model;
    private final Map<Pass, Evaluator> evaluators = new HashMap<>();
    /** Memory for one sample or {@link #BATCH}, which each call overwrites. */
    private final Map<Kind, Place> places = new HashMap<>();

    private @Nullable Augmentation reading;

    Predictor(NetMemory model) {
        this.model = model;
    }

    /** How samples are normalised; null where unknown. */
    @Nullable
    Augmentation reading() {
        return reading;
    }

    void reading(Augmentation normalisation) {
        reading = normalisation.plain();
        closePlaces();
    }

    BatchReader reader(int batch) {
        if (reading == null) {
            throw new IllegalStateException(
                    "the model does not know how samples are normalised: train it with fit, or call reading(...)");
        }
        return new BatchReader(batch, reading, 0, false);
    }

    Evaluator on(Images images, BatchReader reader) {
        return evaluators.computeIfAbsent(new Pass(images, reader), p -> new Evaluator(model, images, reader));
    }

    /** Allocates the model's memory by a plan that nothing else needs. */
    void prepare() {
        int channels = sample().dim(0);
        float[] std = new float[channels];
        Arrays.fill(std, 1);
        Augmentation none = new Augmentation(0, false, new float[channels], std);
        try (Images one = images(new Kind(true, 1))) {
            new Evaluator(model, one, new BatchReader(1, none, 0, false)).close();
        }
    }

    /** (C, H, W) of a sample. */
    private Shape sample() {
        Shape s = model.graph().input().shape();
        return s.rank() == 1 ? Shape.of(s.dim(0), 1, 1) : s;
    }

    private Images images(Kind kind) {
        Device device = model.device();
        Shape s = sample();
        int outputs = model.graph().output().shape().dim(0);
        boolean targets = !model.loss().labels();
        int answers = kind.samples() * (targets ? outputs : 1);
        Memory values = device.allocate(s.elements() * kind.samples() * (kind.floats() ? 4 : 1));
        return OnFailure.close(values, () -> {
            Memory labels = device.allocate(4L * answers);
            Images images = new Images(
                    values, labels, kind.samples(), s.dim(1), s.dim(2), s.dim(0), outputs, kind.floats(), targets);
            // Labels that the loss accepts: its value is not used.
            device.upload(labels, 0, ByteBuffer.allocateDirect(4 * answers));
            return images;
        });
    }

    private Place place(Kind kind) {
        return places.computeIfAbsent(kind, k -> {
            BatchReader read = reader(k.samples());
            Images images = images(k);
            return OnFailure.close(images, () -> new Place(images, new Evaluator(model, images, read)));
        });
    }

    private interface Put {
        void value(ByteBuffer to, int sample, int index);
    }

    /** @param pixels whether the net learned from bytes, which it has divided by 255 */
    float[][] predict(float[][] samples, boolean pixels) {
        int[] lengths = Arrays.stream(samples).mapToInt(s -> s.length).toArray();
        for (int i = 0; i < samples.length; i++) {
            for (int k = 0; k < samples[i].length; k++) {
                float v = samples[i][k];
                if (pixels ? v >= 0 && v <= 1 : Float.isFinite(v)) continue;
                throw new IllegalArgumentException("value " + k + " of sample " + i + " is " + v
                        + ", and the net takes "
                        + (pixels ? "floats from 0 to 1, its pixels divided by 255, or bytes" : "finite numbers"));
            }
        }
        return predict(lengths, true, (to, i, k) -> to.putFloat(samples[i][k]));
    }

    float[][] predict(byte[][] samples) {
        int[] lengths = Arrays.stream(samples).mapToInt(s -> s.length).toArray();
        return predict(lengths, false, (to, i, k) -> to.put(samples[i][k]));
    }

    private float[][] predict(int[] lengths, boolean floats, Put put) {
        long size = sample().elements();
        for (int i = 0; i < lengths.length; i++) {
            if (lengths[i] == size) continue;
            throw new IllegalArgumentException("sample " + i + " has " + lengths[i] + " values, the net takes " + size
                    + ", " + model.graph().input().shape());
        }
        Place place = place(new Kind(floats, lengths.length == 1 ? 1 : BATCH));
        float[][] said = new float[lengths.length][];
        for (int first = 0; first < said.length; first += BATCH) {
            int from = first;
            int count = Math.min(BATCH, said.length - first);
            upload(place.images(), from, count, put);
            place.evaluator().predict(List.of(model.weights()), (member, row, rows, p) -> {
                int outputs = place.evaluator().classes();
                for (int i = 0; i < count; i++) said[from + i] = Arrays.copyOfRange(p, i * outputs, (i + 1) * outputs);
            });
        }
        return said;
    }

    /** From (C, H, W) to (H, W, C). */
    private void upload(Images images, int first, int count, Put put) {
        int channels = images.channels();
        int pixels = images.height() * images.width();
        int bytes = count * channels * pixels * (images.floats() ? 4 : 1);
        ByteBuffer to = ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
        for (int i = first; i < first + count; i++) {
            for (int at = 0; at < pixels; at++) {
                for (int c = 0; c < channels; c++) put.value(to, i, c * pixels + at);
            }
        }
        model.device().upload(images.pixels(), 0, to.flip());
    }

    private void closePlaces() {
        for (Place place : places.values()) {
            place.evaluator().close();
            place.images().close();
        }
        places.clear();
    }

    @Override
    public void close() {
        closePlaces();
        evaluators.values().forEach(Evaluator::close);
    }
}
