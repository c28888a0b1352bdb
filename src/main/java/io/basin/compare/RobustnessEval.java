package io.basin.compare;

import io.basin.data.Corruption;
import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.ensemble.Metrics;
import io.basin.report.Extras;
import io.basin.report.Statistics;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;

/**
 * Asks models about images that are not the test set's: corrupted ones, and ones of no class, as {@code options} say.
 *
 * <p>Sets are made one after another and forgotten: fifteen copies of a test set would take more memory than the net.
 */
public record RobustnessEval(Dataset test, Options options, Progress progress) {
    /** Of every corruption, so that all methods and seeds are asked the same. */
    public static final long SEED = 20190326;

    /** Nothing where the options ask for nothing. */
    public Extras of(String method, long seed, Function<Dataset, Probabilities> model) {
        List<Extras.Corrupted> corrupted = options.corruptions() ? corrupted(method, seed, model) : List.of();
        Dataset strange = options.outside();
        List<Extras.Outside> outside = strange == null ? List.of() : outside(method, seed, strange, model);
        return new Extras(List.of(), List.of(), List.of(), corrupted, outside, List.of());
    }

    private List<Extras.Corrupted> corrupted(String method, long seed, Function<Dataset, Probabilities> model) {
        List<Extras.Corrupted> all = new ArrayList<>();
        all.add(figures(method, seed, "none", 0, model.apply(test)));
        int sets = Corruption.values().length * Corruption.STRENGTHS;
        try (Progress.Counter counter = progress.start(method + ", seed " + seed + ": corruptions", sets, "sets")) {
            for (Corruption c : Corruption.values()) {
                for (int strength = 1; strength <= Corruption.STRENGTHS; strength++) {
                    all.add(figures(method, seed, c.label(), strength, model.apply(c.apply(test, strength, SEED))));
                    counter.step(1);
                }
            }
        }
        return all;
    }

    private Extras.Corrupted figures(String method, long seed, String kind, int strength, Probabilities p) {
        Metrics m = p.metrics(test.labels());
        return new Extras.Corrupted(method, seed, kind, strength, m.accuracy(), m.nll(), m.ece());
    }

    private List<Extras.Outside> outside(
            String method, long seed, Dataset strange, Function<Dataset, Probabilities> model) {
        double[] inside = model.apply(test).confidences();
        double[] outside = model.apply(strange).confidences();
        String set = strange.name();
        double auroc = Statistics.auroc(inside, outside);
        return List.of(new Extras.Outside(method, seed, set, auroc, Statistics.mean(inside), Statistics.mean(outside)));
    }
}
