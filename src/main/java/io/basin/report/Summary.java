package io.basin.report;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.text.Require;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * Everything a finished comparison has to say, as data: the console table and the HTML report are views
 * of it, and {@code results.json} is its JSON.
 *
 * @param title such as {@code fashion-mnist, mlp}
 * @param facts what a reader must know to judge or repeat it: command, device, versions, samples, seeds; in order
 */
@Api
public record Summary(
        String title,
        Map<String, String> facts,
        List<Row> rows,
        List<Curve> curves,
        List<Plotted> schedules,
        Extras evidence) {
    /** No net has a larger loss, and sums of many are still numbers. */
    private static final double MOST = 1e30;

    /** With nothing but the table to show. */
    public Summary(
            String title, Map<String, String> facts, List<Row> rows, List<Curve> curves, List<Plotted> schedules) {
        this(title, facts, rows, curves, schedules, Extras.NONE);
    }

    /** The same with more to show. */
    public Summary and(Extras more) {
        return new Summary(title, facts, rows, curves, schedules, evidence.and(more));
    }

    /**
     * Test-set figures of one trained method.
     *
     * @param accuracy in [0, 1]
     * @param nll mean negative log-likelihood, nats; null where what predicts gives no probabilities
     * @param ece expected calibration error, in [0, 1]; null likewise
     * @param calibrated {@code nll} at the temperature that is best on the validation part, or where nothing is held out for each half of the
     *     test part at the other half's; null likewise, and where it was not
     *     measured
     */
    public record Score(
            long seed,
            double accuracy,
            @Nullable Double nll,
            @Nullable Double ece,
            @Nullable Double calibrated) {
        /** @throws IllegalArgumentException for what no measurement gives, such as an accuracy of 7 */
        public Score {
            if (!(accuracy >= 0 && accuracy <= 1) || ece != null && !(ece >= 0 && ece <= 1)) {
                throw new IllegalArgumentException("an accuracy and an error of calibration lie from 0 to 1");
            }
            if (nll != null && !(nll >= 0 && nll <= MOST)
                    || calibrated != null && !(calibrated >= 0 && calibrated <= MOST)) {
                throw new IllegalArgumentException("a negative log-likelihood is finite and not negative");
            }
        }

        /** Without what a temperature makes of it. */
        public Score(long seed, double accuracy, @Nullable Double nll, @Nullable Double ece) {
            this(seed, accuracy, nll, ece, null);
        }
    }

    /**
     * One line of the table.
     *
     * @param combiner how members were combined, empty for a single model
     * @param epochs of training spent
     * @param statistics forward passes over the training set for batch norm's statistics, beside that
     * @param passes forward passes per prediction
     */
    public record Row(
            String method, String combiner, double epochs, double statistics, int passes, List<Score> scores) {
        /** @throws IllegalArgumentException for what no run has */
        public Row {
            Require.given("method", method);
            Require.given("combiner", combiner);
            Require.notNegative("epochs", epochs);
            Require.notNegative("statistics", statistics);
            Require.given("scores", scores);
            long seeds = scores.stream().map(Score::seed).distinct().count();
            if (seeds < scores.size()) throw new IllegalArgumentException("a seed appears twice in a row");
        }

        /** In the combiner's place: the last weights, with batch norm's statistics measured as an average's are. */
        public static final String ANEW = "statistics anew";

        /** In the combiner's place: the first of independent nets, so that method at its share of the budget. */
        public static final String ALONE = "one alone";

        private static final String AT = "at ";

        /** In the combiner's place: the result of one run after so many budgets. */
        public static String at(double budgets) {
            return AT + Statistics.format(budgets, budgets == Math.rint(budgets * 10) / 10 ? 1 : 2) + " budgets";
        }

        /** Whether it is the method's own way to predict, at another budget. */
        public boolean isAtAnotherBudget() {
            return combiner.startsWith(AT);
        }

        /** The method's own way to predict, which is tested; others are shown beside it. */
        static final Set<String> PRIMARY = Set.of("", "mean");

        /** Whether it is the method's own prediction and not another way to combine its models. */
        public boolean isPrimary() {
            return PRIMARY.contains(combiner);
        }

        boolean isAnew() {
            return combiner.equals(ANEW);
        }

        /** What batch norm's statistics cost in epochs: a pass forward is a third of the work of a pass that trains. */
        double statisticsEpochs() {
            return statistics / 3;
        }

        /** {@code fge (mean)}. */
        public String label() {
            if (isAnew()) return method + ", statistics measured anew";
            return combiner.isEmpty() ? method : method + " (" + combiner + ")";
        }
    }

    /** How one run went: loss and accuracy on training and validation data after each epoch. */
    public record Curve(String run, long seed, List<Point> points) {}

    /**
     * Validation figures are those of the weights in training, null where nothing is held out; beside them those of the running
     * average, null where there is none yet.
     */
    public record Point(
            double epoch,
            double loss,
            double accuracy,
            @Nullable Double validationLoss,
            @Nullable Double validationAccuracy,
            @Nullable Double averageLoss,
            @Nullable Double averageAccuracy) {}

    /**
     * A method's tables.
     *
     * @param lr and alpha per step
     * @param collections steps after which a model is collected
     */
    public record Plotted(String method, double[] lr, double[] alpha, int[] collections, int stepsPerEpoch) {}
}
