package io.basin.compare;

import io.basin.data.Corruption;
import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.device.Weights;
import io.basin.ensemble.Metrics;
import io.basin.report.Extras;
import io.basin.report.Statistics;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.util.ArrayList;
import java.util.List;

/**
 * Asks models about images that are not the test set's: corrupted ones, and ones of no class. Several models answer with the mean
 * of their probabilities.
 *
 * <p>Sets are made one after another and forgotten: fifteen copies of a test set would take more memory than the net.
 */
public final class RobustnessEval {
    /** Of every corruption, so that all methods and seeds are asked the same. */
    public static final long SEED = 20190326;

    private final Model model;
    private final Evaluator test;
    private final Splits splits;
    private final Options options;
    private final Progress progress;

    RobustnessEval(Model model, Evaluator test, Splits splits, Options options, Progress progress) {
        this.model = model;
        this.test = test;
        this.splits = splits;
        this.options = options;
        this.progress = progress;
    }

    /** Nothing where {@code options} ask for nothing. */
    Extras of(String method, long seed, List<Weights> models) {
        List<Extras.Corrupted> corrupted = options.corruptions() ? corrupted(method, seed, models) : List.of();
        List<Extras.Outside> outside = options.outside() == null ? List.of() : outside(method, seed, models);
        return new Extras(null, null, corrupted, outside, null);
    }

    private Probabilities of(List<Weights> models, Dataset set) {
        return Probabilities.of(model, models, set, splits.plainBatch());
    }

    private List<Extras.Corrupted> corrupted(String method, long seed, List<Weights> models) {
        List<Extras.Corrupted> all = new ArrayList<>();
        Dataset images = splits.testSet();
        all.add(figures(
                method, seed, "none", 0, Probabilities.mean(test, models).metrics(images.labels())));
        int sets = Corruption.values().length * Corruption.STRENGTHS;
        try (Progress.Counter counter = progress.start(method + ", seed " + seed + ": corruptions", sets, "sets")) {
            for (Corruption c : Corruption.values()) {
                for (int strength = 1; strength <= Corruption.STRENGTHS; strength++) {
                    Dataset set = c.apply(images, strength, SEED);
                    Metrics m = of(models, set).metrics(set.labels());
                    all.add(figures(method, seed, c.label(), strength, m));
                    counter.step(1);
                }
            }
        }
        return all;
    }

    static Extras.Corrupted figures(String method, long seed, String kind, int strength, Metrics m) {
        return new Extras.Corrupted(method, seed, kind, strength, m.accuracy(), m.nll(), m.ece());
    }

    private List<Extras.Outside> outside(String method, long seed, List<Weights> models) {
        double[] inside = Probabilities.mean(test, models).confidences();
        Dataset set = options.outside();
        double[] outside = of(models, set).confidences();
        return List.of(new Extras.Outside(
                method,
                seed,
                set.name(),
                Statistics.auroc(inside, outside),
                Statistics.mean(inside),
                Statistics.mean(outside)));
    }
}
