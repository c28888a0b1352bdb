package io.basin.geometry;

import io.basin.compare.Material;
import io.basin.data.ImageSet;
import io.basin.data.Split;
import io.basin.device.Device;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.graph.Graph;
import io.basin.train.Evaluator;
import java.util.ArrayList;
import java.util.List;

/** The samples that a landscape is measured on, all of them or stratified parts, on the device. */
public final class Terrain implements AutoCloseable {
    private static final long PART_SEED = 20180227;
    /** Where exact statistics, half a pass over the data per batch norm, begin to cost more than the figures are worth. */
    private static final int MANY_NORMS = 24;
    /** How many of a net's largest activations are alive at once, at most. */
    private static final int LIVE = 3;

    private static final double GIB = 1L << 30;

    /**
     * How much is measured and how.
     *
     * @param samples so many training and so many test samples for loss and error; 0 for all
     * @param statistics so many training samples for batch norm's statistics; 0 for all
     * @param refresh {@code exact}, {@code single}, or {@code auto}: exact up to 24 batch norms
     * @param plain measure statistics on samples as they are, not augmented as in training
     * @param memory GiB that the activations of one pass may take: where all samples for the statistics fit at once, they are
     *     exact after a single pass; 0 for batches always
     */
    public record Sampling(int samples, int statistics, String refresh, boolean plain, double memory) {
        public Sampling {
            if (samples < 0) throw new IllegalArgumentException("--samples must not be negative, got " + samples);
            if (statistics < 0) {
                throw new IllegalArgumentException("--bn-samples must not be negative, got " + statistics);
            }
            if (!(memory >= 0)) throw new IllegalArgumentException("--memory must not be negative, got " + memory);
            if (!List.of("auto", "exact", "single").contains(refresh)) {
                throw new IllegalArgumentException("--bn-update is auto, exact or single, got '" + refresh + "'");
            }
        }
    }

    private final Device device;
    private final Guard guard;
    private final Material material;
    private final Sampling sampling;
    private final List<Images> owned = new ArrayList<>();
    private final Images statistics;
    private final Images train;
    private final Images test;

    public Terrain(Device device, Material material, Sampling sampling) {
        this.device = device;
        guard = device.guard().of("the terrain");
        this.material = material;
        this.sampling = sampling;
        try {
            train = part("--samples", material.trainSet(), material.train(), sampling.samples());
            test = part("--samples", material.testSet(), material.test(), sampling.samples());
            statistics = sampling.statistics() == sampling.samples()
                    ? train
                    : part("--bn-samples", material.trainSet(), material.train(), sampling.statistics());
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    private Images part(String flag, ImageSet set, Images whole, int count) {
        if (count == 0) return whole;
        ImageSet cut = Material.naming(flag, () -> Split.sample(set, count, PART_SEED));
        if (cut == set) return whole;
        Images uploaded = Material.upload(device, cut);
        owned.add(uploaded);
        return uploaded;
    }

    public Survey survey(Graph graph, Storage storage) {
        guard.requireOpen();
        Spec.Batch plain = material.plainBatch();
        Spec.Batch augmented = sampling.plain() ? plain : material.augmentedBatch();
        boolean whole = whole(graph, statistics.count());
        Survey.Ground ground = new Survey.Ground(
                statistics,
                train,
                test,
                whole ? sized(augmented, statistics.count()) : augmented,
                whole && train == statistics ? sized(plain, train.count()) : plain,
                plain,
                refresh(graph),
                material.settings().precision());
        return new Survey(device, graph, storage, ground);
    }

    private static Spec.Batch sized(Spec.Batch b, int size) {
        return new Spec.Batch(size, b.pad(), b.flip(), b.mean(), b.std(), b.seed(), b.shuffled());
    }

    /** Whether the activations of so many samples at once stay within the memory allowed. */
    private boolean whole(Graph graph, int count) {
        boolean norms = graph.nodes().stream().anyMatch(n -> n.spec() instanceof Spec.Norm);
        long largest = graph.nodes().stream()
                .mapToLong(n -> n.output().shape().elements())
                .max()
                .orElse(0);
        return norms && LIVE * 4.0 * largest * count <= sampling.memory() * GIB;
    }

    private Evaluator.Refresh refresh(Graph graph) {
        long norms = graph.nodes().stream()
                .filter(n -> n.spec() instanceof Spec.Norm)
                .count();
        boolean exact = sampling.refresh().equals("auto")
                ? norms <= MANY_NORMS
                : sampling.refresh().equals("exact");
        return exact ? Evaluator.Refresh.EXACT : Evaluator.Refresh.SINGLE;
    }

    /** Everything that figures depend on but the weights, as {@code name=value, ...}. */
    public String identity() {
        var s = material.settings();
        return "dataset=" + s.dataset() + ", model=" + s.model() + ", training samples="
                + material.trainSet().count() + ", validation=" + s.validation() + ", samples=" + sampling.samples()
                + ", bn samples=" + sampling.statistics() + ", bn update=" + sampling.refresh() + ", bn plain="
                + sampling.plain() + ", memory=" + sampling.memory() + ", pad=" + s.pad() + ", flip=" + s.flip()
                + ", batch=" + s.batch();
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
