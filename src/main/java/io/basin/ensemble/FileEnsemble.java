package io.basin.ensemble;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.train.Splits;
import java.util.List;

/**
 * An ensemble of weights files, measured on the test part in one pass: every member, every prefix of 1 to k members under each
 * combiner, and ridge stacking of all. What is fitted, members' weights and ridge's, is fitted in one pass over the validation part.
 */
@Api
public final class FileEnsemble {
    private FileEnsemble() {}

    /**
     * LossAndError on the test part.
     *
     * @param alone each member
     * @param mean and vote and weighted: the first 1, 2, ... members
     * @param weights of the weighted mean, in proportion to 1 / validation NLL; all 1 where nothing was fitted
     * @param ridge of all members; null where nothing was fitted
     * @param lambda ridge's, NaN where nothing was fitted
     */
    public record Outcome(
            List<Metrics> alone,
            List<Metrics> mean,
            List<Metrics> vote,
            List<Metrics> weighted,
            double[] weights,
            @Nullable Metrics ridge,
            double lambda) {}

    /** @param fit whether weights and ridge are wanted, which takes a pass over the validation part */
    public static Outcome measure(Splits splits, List<ModelFile> models, boolean fit, Progress progress) {
        try (FileMembers onTest = new FileMembers(splits, Splits.Part.TEST, models, progress)) {
            if (!fit) {
                StreamingEnsemble combined = StreamingEnsemble.equal(onTest);
                onTest.stream(combined);
                double[] ones = models.stream().mapToDouble(m -> 1).toArray();
                return outcome(combined, ones, null, Double.NaN);
            }
            StreamingEnsemble alone;
            Ridge ridge;
            try (FileMembers onValidation = new FileMembers(splits, Splits.Part.VALIDATION, models, progress)) {
                alone = StreamingEnsemble.equal(onValidation);
                ridge = Ridge.fit(new HeldOut("validation", onValidation), alone);
            }
            double[] weights = alone.members().stream()
                    .mapToDouble(m -> 1 / Math.max(m.nll(), 1e-6))
                    .toArray();
            StreamingEnsemble combined = new StreamingEnsemble(onTest, weights);
            Metrics stacked = ridge.evaluate(new TestSet("test", onTest), combined);
            return outcome(combined, weights, stacked, ridge.lambda());
        }
    }

    private static Outcome outcome(StreamingEnsemble e, double[] weights, @Nullable Metrics ridge, double lambda) {
        return new Outcome(e.members(), e.mean(), e.vote(), e.weighted(), weights, ridge, lambda);
    }
}
