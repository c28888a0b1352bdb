package io.basin.geometry;

import io.basin.device.Coefficients;
import io.basin.device.Device;
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
 */
public final class Survey implements AutoCloseable {
    /**
     * What is measured on.
     *
     * @param statistics what batch norm's statistics are measured on
     * @param train and test: what loss and error are measured on
     * @param batch how these are read; {@code statisticsBatch} may augment
     */
    public record Ground(
            Images statistics,
            Images train,
            Images test,
            Spec.Batch statisticsBatch,
            Spec.Batch batch,
            Evaluator.Refresh refresh,
            Precision precision) {}

    private final Device device;
    private final Storage storage;
    private final Evaluator.Refresh refresh;
    private final Evaluator statistics;
    private final Evaluator train;
    private final Evaluator test;

    public Survey(Device device, Graph graph, Storage storage, Ground ground) {
        this.device = device;
        this.storage = storage;
        refresh = ground.refresh();
        Evaluator[] made = new Evaluator[3];
        try {
            Precision p = ground.precision();
            made[0] = new Evaluator(device, graph, storage, ground.statistics(), ground.statisticsBatch(), p);
            made[1] = new Evaluator(device, graph, storage, ground.train(), ground.batch(), p);
            made[2] = new Evaluator(device, graph, storage, ground.test(), ground.batch(), p);
        } catch (RuntimeException e) {
            for (Evaluator evaluator : made) if (evaluator != null) evaluator.close();
            throw e;
        }
        statistics = made[0];
        train = made[1];
        test = made[2];
    }

    /** Whether batch norm's statistics depend on nothing but the samples: not on batch size or order. */
    public boolean exact() {
        return refresh == Evaluator.Refresh.EXACT || statistics.refreshPasses(Evaluator.Refresh.EXACT) == 0;
    }

    /** Measures a model; overwrites its batch-norm statistics. */
    public Figures measure(Weights model) {
        statistics.refresh(model, refresh, pass -> {});
        return Figures.of(train.evaluate(model), test.evaluate(model));
    }

    /** Only the batch-norm statistics of a model. */
    public void refresh(Weights model) {
        statistics.refresh(model, refresh, pass -> {});
    }

    /** Combinations of the same points. Closes before the survey. */
    public final class Probe implements AutoCloseable {
        private final Coefficients coefficients;
        private final Runnable combine;

        private Probe(List<Memory> points) {
            coefficients = new Coefficients(device, null, new double[points.size()]);
            combine = device.combine(points, coefficients, storage.live().params());
        }

        /** Puts the combination into the storage's own model. */
        public Weights place(double... shares) {
            coefficients.set(shares);
            combine.run();
            return storage.live();
        }

        public Figures at(double... shares) {
            return measure(place(shares));
        }

        @Override
        public void close() {
            coefficients.close();
        }
    }

    /** @param points arenas laid out as the storage's parameters */
    public Probe probe(List<Memory> points) {
        return new Probe(points);
    }

    @Override
    public void close() {
        statistics.close();
        train.close();
        test.close();
    }
}
