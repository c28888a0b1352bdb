package io.basin.report;

import io.basin.Api;
import io.basin.Nullable;
import java.util.function.Function;

/**
 * A line of the result table as numbers, for programs. Accuracy and ECE are fractions, not %. Means are over seeds, half-widths
 * those of 95 % t-intervals; null where there is none, as of one seed, or of a NLL without probabilities.
 *
 * @param bnEpochs what batch norm's statistics cost beside the epochs, in epochs
 * @param passes forward passes per prediction: nets
 * @param nll nats
 * @param calibrated {@code nll} at the temperature that is best on the validation part
 * @param vsSgd mean difference of accuracy to SGD, paired by seed
 * @param pHolm of the paired t-test, corrected by Holm
 */
@Api
public record Figures(
        String method,
        double epochs,
        double bnEpochs,
        int passes,
        int seeds,
        @Nullable Double accuracy,
        @Nullable Double accuracyHalfWidth,
        @Nullable Double nll,
        @Nullable Double nllHalfWidth,
        @Nullable Double calibrated,
        @Nullable Double calibratedHalfWidth,
        @Nullable Double ece,
        @Nullable Double eceHalfWidth,
        @Nullable Double vsSgd,
        @Nullable Double vsSgdHalfWidth,
        @Nullable Double pHolm) {
    /** @param difference to SGD's accuracy in points, as {@code interval} is; NaN where there is none, as {@code p} */
    static Figures of(String name, Summary.Row row, double difference, Interval interval, double p) {
        Mean accuracy = Mean.of(row, Summary.Score::accuracy);
        Mean nll = Mean.of(row, Summary.Score::nll);
        Mean calibrated = Mean.of(row, Summary.Score::calibrated);
        Mean ece = Mean.of(row, Summary.Score::ece);
        return new Figures(
                name,
                row.epochs(),
                row.statisticsEpochs(),
                row.passes(),
                row.scores().size(),
                accuracy.value(),
                accuracy.half(),
                nll.value(),
                nll.half(),
                calibrated.value(),
                calibrated.half(),
                ece.value(),
                ece.half(),
                orNull(difference / 100),
                orNull(interval.halfWidth() / 100),
                orNull(p));
    }

    private static @Nullable Double orNull(double value) {
        return Double.isNaN(value) ? null : value;
    }

    private record Mean(@Nullable Double value, @Nullable Double half) {
        static Mean of(Summary.Row row, Function<Summary.Score, Double> which) {
            if (row.scores().stream().map(which).anyMatch(v -> v == null)) return new Mean(null, null);
            double[] values = row.scores().stream().mapToDouble(which::apply).toArray();
            return new Mean(
                    Statistics.mean(values), orNull(Statistics.tInterval(values).halfWidth()));
        }
    }
}
