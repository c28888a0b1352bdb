package io.basin.geometry;

import io.basin.device.Coefficients;
import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Precision;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.train.Evaluator;
import java.util.List;

/**
 * Measures points of weight space, which no training ever ran forward: batch-norm statistics for these very weights first, then
 * loss and error on both parts.
 *
 * <p>The storage's own model is where a point is put together, so no memory is needed but that of the points combined.
 *
 * <p>Any thread may call; a point is put together and measured in one turn on the device ({@link Guard}).
 */
public final class Survey implements AutoCloseable {
    /**
     * What is measured on.
     *
     * @param statistics what batch norm's statistics are measured on
     * @param train and test: what loss and error are measured on
     * @param statisticsBatch may augment; where it holds all samples, a single pass measures exact statistics, and loss and
     *     error with them where {@code train} is the same set, read the same way
     * @param batch how training samples are read, {@code testBatch} how test samples are
     */
    public record Ground(
            Images statistics,
            Images train,
            Images test,
            Spec.Batch statisticsBatch,
            Spec.Batch batch,
            Spec.Batch testBatch,
            Evaluator.Refresh refresh,
            Precision precision) {
        /** Whether one evaluator serves both: the same samples, read the same way. */
        boolean shared() {
            return statistics == train && same(statisticsBatch, batch);
        }

        private static boolean same(Spec.Batch a, Spec.Batch b) {
            return a.batch() == b.batch() && a.pad() == b.pad() && a.flip() == b.flip();
        }
    }

    private final Device device;
    private final Guard guard;
    private final Storage storage;
    private final Evaluator.Refresh refresh;
    private final Evaluator statistics;
    private final Evaluator train;
    private final Evaluator test;

    public Survey(Device device, Graph graph, Storage storage, Ground ground) {
        this.device = device;
        guard = device.guard().of("the survey");
        this.storage = storage;
        refresh = ground.refresh();
        Evaluator[] made = new Evaluator[3];
        try {
            Precision p = ground.precision();
            made[0] = new Evaluator(device, graph, storage, ground.statistics(), ground.statisticsBatch(), p);
            made[1] = ground.shared()
                    ? made[0]
                    : new Evaluator(device, graph, storage, ground.train(), ground.batch(), p);
            made[2] = new Evaluator(device, graph, storage, ground.test(), ground.testBatch(), p);
        } catch (RuntimeException e) {
            if (made[0] != null) made[0].close();
            if (made[1] != null && made[1] != made[0]) made[1].close();
            throw e;
        }
        statistics = made[0];
        train = made[1];
        test = made[2];
    }

    /** Measures a model; overwrites its batch-norm statistics. */
    public Figures measure(Weights model) {
        return guard.get(() -> {
            Control.Totals settled = settle(model);
            boolean known = settled != null && train == statistics;
            return Figures.of(known ? settled : train.evaluate(model), test.evaluate(model));
        });
    }

    /** Only the batch-norm statistics of a model. */
    public void refresh(Weights model) {
        guard.run(() -> settle(model));
    }

    /** Statistics, and what the same pass found out about loss and error; null where it was not a single pass. */
    private Control.Totals settle(Weights model) {
        if (statistics.whole()) return statistics.settle(model);
        statistics.refresh(model, refresh, pass -> {});
        return null;
    }

    /** Combinations of the same points. Closes before the survey. */
    public final class Probe implements AutoCloseable {
        private final Guard turns = guard.of("the probe");
        private final Coefficients coefficients;
        private final Runnable combine;

        private Probe(List<Memory> points) {
            coefficients = new Coefficients(device, null, new double[points.size()]);
            try {
                combine = device.combine(points, coefficients, storage.live().params());
            } catch (RuntimeException e) {
                coefficients.close();
                throw e;
            }
        }

        /** Puts the combination into the storage's own model. */
        public Weights place(double... shares) {
            turns.run(() -> {
                coefficients.set(shares);
                combine.run();
            });
            return storage.live();
        }

        public Figures at(double... shares) {
            return turns.get(() -> measure(place(shares)));
        }

        @Override
        public void close() {
            turns.close(coefficients::close);
        }
    }

    /** @param points arenas laid out as the storage's parameters */
    public Probe probe(List<Memory> points) {
        return new Probe(points);
    }

    @Override
    public void close() {
        guard.close(() -> {
            statistics.close();
            if (train != statistics) train.close();
            test.close();
        });
    }
}
