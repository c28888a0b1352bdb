package io.basin.landscape;

import io.basin.device.BatchReader;
import io.basin.device.Coefficients;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Weights;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import java.util.List;

/**
 * Measures points of weight space, which no training ever ran forward: batch-norm statistics for these very weights first, then
 * loss and error on both parts.
 *
 * <p>The model's own weights are where a point is put together, so no memory is needed but that of the points combined.
 *
 * <p>Any thread may call; a point is put together and measured in one turn on the device ({@link Guard}).
 */
public final class PointEvaluator {
    /**
     * What is measured on.
     *
     * @param statistics what batch norm's statistics are measured on
     * @param train and test: what loss and error are measured on
     * @param statisticsBatch may augment; where it holds all samples, a single pass measures exact statistics, and loss and
     *     error with them where {@code train} is the same set, read the same way: then the model's one evaluator serves both
     * @param batch how training samples are read, {@code testBatch} how test samples are
     */
    public record Ground(
            Images statistics,
            Images train,
            Images test,
            BatchReader statisticsBatch,
            BatchReader batch,
            BatchReader testBatch,
            Evaluator.Refresh refresh) {}

    private final Device device;
    private final Guard guard;
    private final Model model;
    private final Evaluator.Refresh refresh;
    private final Evaluator statistics;
    private final Evaluator train;
    private final Evaluator test;

    public PointEvaluator(Model model, Ground ground) {
        this.model = model;
        device = model.device();
        guard = device.guard().of("the survey");
        refresh = ground.refresh();
        statistics = model.evaluator(ground.statistics(), ground.statisticsBatch());
        train = model.evaluator(ground.train(), ground.batch());
        test = model.evaluator(ground.test(), ground.testBatch());
    }

    /** Measures a point; overwrites its batch-norm statistics. */
    public LossAndError measure(Weights point) {
        return guard.get(() -> {
            EpochMetrics settled = settle(point);
            boolean known = settled != null && train == statistics;
            return LossAndError.of(known ? settled : train.evaluate(point), test.evaluate(point));
        });
    }

    /** Only the batch-norm statistics of a point. */
    public void refresh(Weights point) {
        guard.run(() -> settle(point));
    }

    /** Statistics, and what the same pass found out about loss and error; null where it was not a single pass. */
    private EpochMetrics settle(Weights point) {
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
            try {
                combine = device.arenas()
                        .weightedSum(points, coefficients, model.weights().params());
            } catch (RuntimeException e) {
                coefficients.close();
                throw e;
            }
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
}
