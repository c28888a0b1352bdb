package io.basin.landscape;

import io.basin.Api;
import io.basin.data.Dataset;
import io.basin.data.Split;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Distortion;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Layer;
import io.basin.nn.Graph;
import io.basin.text.Require;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** The data of a landscape: a net, and samples on its device, all of them or stratified parts. */
@Api
public final class LandscapeData implements AutoCloseable {
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
            Require.notNegative("samples", samples);
            Require.notNegative("statistics", statistics);
            if (!(memory >= 0)) throw new IllegalArgumentException("`memory` must not be negative, got " + memory);
        }
    }

    final Device device;
    final Splits splits;
    final Graph graph;
    private final Guard guard;
    private final Settings settings;
    private final Sampling sampling;
    private final List<Images> owned = new ArrayList<>();
    private final Images statistics;
    private final Images train;
    private final Images test;
    private final int[] labels;

    /**
     * @param splits the caller's, who closes them after this
     * @param settings of {@code splits}, which figures depend on
     */
    public LandscapeData(Splits splits, Settings settings, Graph graph, Sampling sampling) {
        this.splits = Require.given("splits", splits);
        this.settings = Require.given("settings", settings);
        this.graph = Require.given("graph", graph);
        this.sampling = Require.given("sampling", sampling);
        device = splits.device();
        guard = device.guard().of("LandscapeData");
        try {
            Dataset measured = cut("samples", Splits.Part.TRAIN, sampling.samples());
            labels = measured.classes() > 0 ? measured.labels() : new int[0];
            train = part(measured, Splits.Part.TRAIN);
            test = part(cut("samples", Splits.Part.TEST, sampling.samples()), Splits.Part.TEST);
            statistics = sampling.statistics() == sampling.samples()
                    ? train
                    : part(cut("statistics", Splits.Part.TRAIN, sampling.statistics()), Splits.Part.TRAIN);
        } catch (RuntimeException e) {
            close();
            throw e;
        }
    }

    /** All samples, and exact batch-norm statistics. */
    public LandscapeData(Splits splits, Settings settings, Graph graph) {
        this(splits, settings, graph, new Sampling(0, 0, BatchNormUpdate.EXACT, 0));
    }

    private Dataset cut(String name, Splits.Part part, int count) {
        Dataset set = splits.set(part);
        return count == 0 ? set : Require.naming(name, () -> Split.sample(set, count, PART_SEED));
    }

    private Images part(Dataset cut, Splits.Part part) {
        if (cut == splits.set(part)) return splits.images(part);
        Images uploaded = cut.upload(device);
        owned.add(uploaded);
        return uploaded;
    }

    /**
     * Reads files into a model of the net, so that one at fault is refused before anything is written.
     *
     * @throws io.basin.io.FormatException naming a file that is damaged or of another net
     */
    public void requireLoadable(List<Path> files) {
        try (Model model = new Model(device, graph)) {
            files.forEach(model::load);
        }
    }

    /** Measures points of a model of the net; closes before the model. */
    public PointEvaluator evaluator(Model model) {
        guard.requireOpen();
        BatchReader plain = splits.plainBatch();
        BatchReader augmented = sampling.update().plain() ? plain : splits.augmentedBatch();
        boolean whole = whole();
        return new PointEvaluator(
                model,
                model.evaluator(statistics, whole ? augmented.withBatch(statistics.count()) : augmented),
                model.evaluator(train, whole && train == statistics ? plain.withBatch(train.count()) : plain),
                model.evaluator(test, plain),
                sampling.update().keeps() ? null : refresh(),
                labels);
    }

    /** Whether batch norm's statistics are those of the net last read, at every point. */
    boolean keepsStatistics() {
        return sampling.update().keeps();
    }

    /** Whose statistics batch norm has, in a sentence. */
    String statistics() {
        return sampling.update().keeps() && norms() > 0 ? LandscapeReport.KEPT : LandscapeReport.STATISTICS;
    }

    /** How far figures are off because only some of the samples are measured. */
    public SamplingError samplingError() {
        return new SamplingError(train.count(), splits.trainSet().count(), test.count());
    }

    /** Whether the activations of all samples for the statistics at once stay within the memory allowed. */
    private boolean whole() {
        long largest = graph.nodes().stream()
                .mapToLong(n -> n.output().shape().elements())
                .max()
                .orElse(0);
        return norms() > 0
                && !sampling.update().keeps()
                && LIVE * 4.0 * largest * statistics.count() <= sampling.memory() * GIB;
    }

    private long norms() {
        return graph.nodes().stream()
                .filter(n -> n.layer() instanceof Layer.BatchNorm)
                .count();
    }

    private Evaluator.Refresh refresh() {
        return sampling.update().of(norms());
    }

    /** Everything that figures depend on but the weights, as {@code name=value, ...}. */
    String identity() {
        Settings.Data d = settings.data();
        return "dataset=" + settings.dataset() + ", model=" + settings.model() + ", training samples="
                + splits.trainSet().count() + ", validation=" + d.validation() + ", samples=" + sampling.samples()
                + ", bn samples=" + sampling.statistics() + ", bn update="
                + sampling.update().how() + ", bn plain="
                + sampling.update().plain() + ", memory=" + sampling.memory() + ", pad=" + d.pad() + ", flip="
                + d.flip()
                + (d.distortion().equals(Distortion.NONE) ? "" : ", " + d.distortion())
                + ", batch=" + d.batch();
    }

    private String pass() {
        if (whole()) return "exact, all at once";
        return refresh() == Evaluator.Refresh.EXACT ? "exact, layer by layer" : "one pass, not exact";
    }

    /** For people: the measurement and its number of samples. */
    public String describe() {
        String how = sampling.update().keeps()
                ? "as the net's file has them"
                : "on " + statistics.count() + " training samples (" + pass() + ")";
        return "loss and error on " + train.count() + " training and " + test.count()
                + " test samples, batch-norm statistics " + how;
    }

    @Override
    public void close() {
        guard.close(() -> owned.forEach(Images::close));
    }
}
