package io.basin.landscape;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.Coefficients;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Guard;
import io.basin.device.Memory;
import io.basin.device.Weights;
import io.basin.io.OnFailure;
import io.basin.train.Checkpoint;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * Measures points of weight space, which no training ever ran forward: batch-norm statistics for these very weights first, then
 * loss and error on both parts. The points that it combines, nets and directions, are arenas of its own.
 *
 * <p>A point is put together in the model's own weights, so only the points combined need memory.
 *
 * <p>Any thread may call; a point is put together and measured in one turn on the device ({@link Guard}).
 */
@Api
public final class PointEvaluator implements AutoCloseable {
    private final Device device;
    private final Guard guard;
    private final Model model;
    private final Evaluator statistics;
    private final Evaluator train;
    private final Evaluator test;
    private final Evaluator.@Nullable Refresh refresh;
    private final int[] labels;
    private final List<Memory> owned = new ArrayList<>();

    /**
     * @param statistics what batch norm's statistics are measured on; where its batch holds all samples, a single pass measures
     *     exact statistics, and loss and error with them where {@code train} is the same
     * @param refresh null for the statistics of the net last loaded, at every point
     * @param labels of the samples of {@code train}; none where they have targets
     */
    PointEvaluator(
            Model model,
            Evaluator statistics,
            Evaluator train,
            Evaluator test,
            Evaluator.@Nullable Refresh refresh,
            int[] labels) {
        this.model = model;
        this.statistics = statistics;
        this.train = train;
        this.test = test;
        this.refresh = refresh;
        this.labels = labels;
        device = model.device();
        guard = device.guard().of("PointEvaluator");
    }

    /** An arena of the parameters' size, zeroed. */
    Memory arena() {
        Memory memory = device.allocate(model.store().paramBytes());
        owned.add(memory);
        return memory;
    }

    /** The weights in {@code file}, in an arena of their own. */
    Memory load(Path file) {
        Memory memory = arena();
        load(file, memory);
        return memory;
    }

    void load(Path file, Memory into) {
        Checkpoint.loadModel(file, model, new Weights(into, model.weights().state()));
    }

    /** The weights in {@code file} on the host, padding included; passes through the model's own weights. */
    float[] read(Path file) {
        return Vectors.read(device, model.load(file).weights().params());
    }

    /** Measures a point; overwrites its batch-norm statistics. */
    public LossAndError measure(Weights point) {
        return guard.get(() -> {
            EpochMetrics settled = settle(point);
            EpochMetrics onTrain = settled != null && train == statistics ? settled : train.evaluate(point);
            return LossAndError.of(onTrain, test.evaluate(point), spread(point));
        });
    }

    /** Of the loss over the training samples, from one more pass; the device counts sums only. */
    private @Nullable Double spread(Weights point) {
        int n = labels.length;
        if (n < 2) return null;
        double[] sums = new double[2];
        train.predict(List.of(point), (member, first, rows, p) -> {
            for (int r = 0; r < rows; r++) {
                float right = p[r * train.classes() + labels[first + r]];
                double loss = -StrictMath.log(Math.max(right, Float.MIN_NORMAL));
                sums[0] += loss;
                sums[1] += loss * loss;
            }
        });
        return Math.sqrt(Math.max(0, sums[1] - sums[0] * sums[0] / n) / (n - 1));
    }

    /** Only the batch-norm statistics of a point. */
    public void refresh(Weights point) {
        guard.run(() -> settle(point));
    }

    /** Statistics, and what the same pass found out about loss and error; null where it was not a single pass. */
    private @Nullable EpochMetrics settle(Weights point) {
        if (refresh == null) return null;
        if (statistics.whole()) return statistics.settle(point);
        statistics.refresh(point, refresh, pass -> {});
        return null;
    }

    /** Combinations of the same points. Closes before the model. */
    public final class Probe implements AutoCloseable {
        private final Guard turns = guard.of("the probe");
        private final Coefficients coefficients;
        private final Runnable combine;

        private Probe(List<Memory> points) {
            coefficients = new Coefficients(device, null, new double[points.size()]);
            combine = OnFailure.close(
                    coefficients,
                    () -> device.arenas()
                            .weightedSum(points, coefficients, model.weights().params()));
        }

        /** Puts the combination into the model's own weights. */
        public Weights place(double... shares) {
            turns.run(() -> {
                coefficients.set(shares);
                combine.run();
            });
            return model.weights();
        }

        public LossAndError at(double... shares) {
            return turns.get(() -> measure(place(shares)));
        }

        @Override
        public void close() {
            turns.close(coefficients::close);
        }
    }

    /** @param points arenas laid out as the model's parameters */
    public Probe probe(List<Memory> points) {
        return new Probe(points);
    }

    @Override
    public void close() {
        guard.close(() -> owned.forEach(Memory::close));
    }
}
