package io.basin.ensemble;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.train.Splits;
import java.util.Arrays;
import java.util.List;

/**
 * An ensemble of weights files, measured on the test part in one pass: every member, every prefix of 1 to k members under each
 * combiner, and ridge stacking of all. Members' weights and ridge's are fitted in one pass over the validation part.
 */
@Api
public final class FileEnsemble {
    private FileEnsemble() {}

    /**
     * Metrics on the test part.
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
            if (!fit) return unfitted(onTest);
            Fitted fitted;
            try (FileMembers onValidation = new FileMembers(splits, Splits.Part.VALIDATION, models, progress)) {
                fitted = Fitted.on(onValidation);
            }
            return fitted.measure(onTest);
        }
    }

    /** Of combiners that fit nothing. */
    public static Outcome unfitted(MemberSource test) {
        StreamingEnsemble combined = StreamingEnsemble.equal(test);
        test.stream(combined);
        double[] ones = new double[test.members()];
        Arrays.fill(ones, 1);
        return outcome(combined, ones, null, Double.NaN);
    }

    /** Fitted on held-out samples: ridge stacking, and a weight for each member in inverse proportion to its loss there. */
    public static final class Fitted {
        private final Ridge ridge;
        private final double[] weights;

        private Fitted(Ridge ridge, double[] weights) {
            this.ridge = ridge;
            this.weights = weights;
        }

        /** Fits both in one pass over what nothing was trained on. */
        public static Fitted on(MemberSource validation) {
            StreamingEnsemble alone = StreamingEnsemble.equal(validation);
            Ridge ridge = Ridge.fit(new HeldOut("validation", validation), alone);
            double[] weights = alone.members().stream()
                    .mapToDouble(m -> 1 / Math.max(m.nll(), 1e-6))
                    .toArray();
            return new Fitted(ridge, weights);
        }

        /** One pass over the test part, by the same members. */
        public Outcome measure(MemberSource test) {
            StreamingEnsemble combined = new StreamingEnsemble(test, weights);
            Metrics stacked = ridge.evaluate(new TestSet("test", test), combined);
            return outcome(combined, weights, stacked, ridge.lambda());
        }
    }

    private static Outcome outcome(StreamingEnsemble e, double[] weights, @Nullable Metrics ridge, double lambda) {
        return new Outcome(e.members(), e.mean(), e.vote(), e.weighted(), weights, ridge, lambda);
    }
}
