package io.basin.ensemble;

import io.basin.Api;
import java.util.stream.IntStream;

/**
 * Temperature scaling (Guo et al. 2017, arXiv 1706.04599): probabilities proportional to p^(1/T), with one T for all samples, fitted on
 * data that nothing was trained on. It changes no prediction, only its confidence, so that methods can be compared by their
 * likelihood without rewarding one for being as confident as the test set happens to need.
 *
 * @param value T; 1 leaves probabilities as they are, more makes them less sure
 */
@Api
public record Temperature(double value) {
    private static final double LEAST = 1e-2;
    private static final double MOST = 1e2;
    private static final int HALVINGS = 60;

    /**
     * The T of the least negative log-likelihood, from 0.01 to 100. That is convex in 1/T, so its slope is bisected.
     *
     * @param p (samples, classes), probabilities
     * @param labels (samples)
     */
    public static Temperature fit(double[] p, int classes, int[] labels) {
        double low = 1 / MOST;
        double high = 1 / LEAST;
        for (int i = 0; i < HALVINGS; i++) {
            double middle = Math.sqrt(low * high);
            if (slope(p, classes, labels, middle) > 0) high = middle;
            else low = middle;
        }
        return new Temperature(1 / Math.sqrt(low * high));
    }

    /**
     * Every second sample at the temperature that is best for the others, and those at the first ones': for data without a held-out
     * part (Ashukha et al. 2020, arXiv 2002.06470, who do so on the test set). No sample is scaled by what its own label says.
     *
     * @param p (samples, classes), probabilities; of at least two samples
     * @param labels (samples)
     */
    public static double[] crossFitted(double[] p, int classes, int[] labels) {
        double[] out = new double[p.length];
        for (int fold = 0; fold < 2; fold++) {
            Temperature t = fit(part(p, classes, 1 - fold), classes, part(labels, 1 - fold));
            double[] scaled = t.apply(part(p, classes, fold), classes);
            for (int i = fold, from = 0; i < labels.length; i += 2, from += classes) {
                System.arraycopy(scaled, from, out, i * classes, classes);
            }
        }
        return out;
    }

    private static int[] part(int[] labels, int fold) {
        return IntStream.range(0, labels.length)
                .filter(i -> i % 2 == fold)
                .map(i -> labels[i])
                .toArray();
    }

    private static double[] part(double[] p, int classes, int fold) {
        return IntStream.range(0, p.length)
                .filter(i -> i / classes % 2 == fold)
                .mapToDouble(i -> p[i])
                .toArray();
    }

    /** Of the negative log-likelihood by 1/T: the expected less the label's own log-probability, summed. */
    private static double slope(double[] p, int classes, int[] labels, double power) {
        double[] q = new double[classes];
        double sum = 0;
        for (int i = 0; i < labels.length; i++) {
            scale(p, i * classes, q, power);
            for (int k = 0; k < classes; k++) sum += q[k] * log(p[i * classes + k]);
            sum -= log(p[i * classes + labels[i]]);
        }
        return sum;
    }

    /** The probabilities at this temperature, (samples, classes), in an array of their own. */
    public double[] apply(double[] p, int classes) {
        double[] out = new double[p.length];
        double[] q = new double[classes];
        for (int i = 0; i < p.length; i += classes) {
            scale(p, i, q, 1 / value);
            System.arraycopy(q, 0, out, i, classes);
        }
        return out;
    }

    private static void scale(double[] p, int offset, double[] q, double power) {
        double most = 0;
        for (int k = 0; k < q.length; k++) most = Math.max(most, p[offset + k]);
        double sum = 0;
        for (int k = 0; k < q.length; k++) sum += q[k] = StrictMath.exp(power * (log(p[offset + k]) - log(most)));
        for (int k = 0; k < q.length; k++) q[k] /= sum;
    }

    private static double log(double p) {
        return StrictMath.log(Math.max(p, Metrics.FLOOR));
    }
}
