package io.basin.landscape;

import io.basin.data.Dataset;
import io.basin.data.Split;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Layer;
import io.basin.nn.Graph;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.util.ArrayList;
import java.util.List;

/** The samples that a landscape is measured on, all of them or stratified parts, on the device. */
public final class Terrain implements AutoCloseable {
    private static final long PART_SEED = 20180227;
    /** How many of a net's largest activations are alive at once, at most. */
    private static final int LIVE = 3;

    private static final double GIB = 1L << 30;

    /**
     * How much is measured and how.
     *
     * @param samples so many training and so many test samples for loss and error; 0 for all
     * @param statistics so many training samples for batch norm's statistics; 0 for all
     * @param update how statistics are measured
     * @param memory GiB that the activations of one pass may take: where all samples for the statistics fit at once, they are
     *     exact after a single pass; 0 for batches always
     */
    public record Sampling(int samples, int statistics, BatchNormUpdate update, double memory) {
        public Sampling {
            if (samples < 0) throw new IllegalArgumentException("`samples` must not be negative, got " + samples);
            if (statistics < 0) {
                throw new IllegalArgumentException("`statistics` must not be negative, got " + statistics);
            }
            if (!(memory >= 0)) throw new IllegalArgumentException("`memory` must not be negative, got " + memory);
        }
    }

    private final Device device;
    private final Guard guard;
    private final Splits splits;
    private final Settings s;
    private final Sampling sampling;
    private final List<Images> owned = new ArrayList<>();
    private final Images statistics;
    private final Images train;
    private final Images test;

    /** @param settings of {@code splits}, which figures depend on */
    public Terrain(Device device, Splits splits, Settings settings, Sampling sampling) {
        s = settings;
        this.device = device;
        guard = device.guard().of("the terrain");
        this.splits = splits;
        this.sampling = sampling;
        try {
            train = part("`samples`", Splits.Part.TRAIN, sampling.samples());
            test = part("`samples`", Splits.Part.TEST, sampling.samples());
            statistics = sampling.statistics() == sampling.samples()
                    ? train
                    : part("`statistics`", Splits.Part.TRAIN, sampling.statistics());
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private Images part(String name, Splits.Part part, int count) {
        Dataset set = splits.set(part);
        Dataset cut = count == 0 ? set : Splits.naming(name, () -> Split.sample(set, count, PART_SEED));
        if (cut == set) return splits.images(part);
        Images uploaded = cut.upload(device);
        owned.add(uploaded);
        return uploaded;
    }

    public PointEvaluator evaluator(Model model) {
        guard.requireOpen();
        BatchReader plain = splits.plainBatch();
        BatchReader augmented = sampling.update().plain() ? plain : splits.augmentedBatch();
        boolean whole = whole(model.graph(), statistics.count());
        PointEvaluator.Ground ground = new PointEvaluator.Ground(
                statistics,
                train,
                test,
                whole ? augmented.withBatch(statistics.count()) : augmented,
                whole && train == statistics ? plain.withBatch(train.count()) : plain,
                plain,
                refresh(model.graph()));
        return new PointEvaluator(model, ground);
    }

    /** Whether the activations of so many samples at once stay within the memory allowed. */
    private boolean whole(Graph graph, int count) {
        boolean norms = graph.nodes().stream().anyMatch(n -> n.layer() instanceof Layer.BatchNorm);
        long largest = graph.nodes().stream()
                .mapToLong(n -> n.output().shape().elements())
                .max()
                .orElse(0);
        return norms && LIVE * 4.0 * largest * count <= sampling.memory() * GIB;
    }

    private Evaluator.Refresh refresh(Graph graph) {
        long norms = graph.nodes().stream()
                .filter(n -> n.layer() instanceof Layer.BatchNorm)
                .count();
        return sampling.update().of(norms);
    }

    /** Everything that figures depend on but the weights, as {@code name=value, ...}. */
    public String identity() {
        return "dataset=" + s.dataset() + ", model=" + s.model() + ", training samples="
                + splits.trainSet().count() + ", validation=" + s.data().validation() + ", samples="
                + sampling.samples()
                + ", bn samples=" + sampling.statistics() + ", bn update="
                + sampling.update().how() + ", bn plain="
                + sampling.update().plain() + ", memory=" + sampling.memory() + ", pad="
                + s.data().pad() + ", flip=" + s.data().flip()
                + ", batch=" + s.data().batch();
    }

    /** For people: what is measured of this net, and on how many samples. */
    public String describe(Graph graph) {
        String how = whole(graph, statistics.count())
                ? "exact, all at once"
                : refresh(graph) == Evaluator.Refresh.EXACT ? "exact, layer by layer" : "one pass, not exact";
        return "loss and error on " + train.count() + " training and " + test.count()
                + " test samples, batch-norm statistics on " + statistics.count() + " training samples (" + how + ")";
    }

    @Override
    public void close() {
        guard.close(() -> owned.forEach(Images::close));
    }
}
