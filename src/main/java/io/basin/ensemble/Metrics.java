package io.basin.ensemble;

import io.basin.Api;
import io.basin.text.Format;

/**
 * Accuracy, negative log-likelihood and calibration error of a stream of predictions.
 *
 * <p>Sums only, so a data set of any length takes the same memory.
 */
@Api
public final class Metrics {
    /** Confidence bins of the calibration error. */
    public static final int BINS = 15;
    /** Probabilities below this count as this in the log-likelihood: one certain error must not make it infinite. */
    public static final double FLOOR = 1e-12;

    private final int classes;
    private long count;
    private long hits;
    private double nllSum;
    private final long[] binCount = new long[BINS];
    private final long[] binHits = new long[BINS];
    private final double[] binConfidence = new double[BINS];

    /** No samples yet. */
    public Metrics(int classes) {
        this.classes = classes;
    }

    /**
     * Adds one sample, predicted as the most probable class (the first of equals).
     *
     * @param p (classes), probabilities
     * @param label the true class
     */
    public void add(double[] p, int label) {
        add(p, 0, argmax(p, 0, classes), label);
    }

    /**
     * Adds one sample whose prediction is known.
     *
     * @param p its probabilities begin at {@code offset}
     */
    public void add(double[] p, int offset, int prediction, int label) {
        requireLabel(label, classes);
        double confidence = p[offset + prediction];
        double likelihood = p[offset + label];
        if (Double.isNaN(confidence) || Double.isNaN(likelihood)) {
            throw new IllegalArgumentException("a probability is NaN");
        }
        boolean hit = prediction == label;
        count++;
        hits += hit ? 1 : 0;
        nllSum -= StrictMath.log(Math.max(likelihood, FLOOR));
        int bin = Math.max(0, Math.min(BINS - 1, (int) Math.ceil(confidence * BINS) - 1));
        binCount[bin]++;
        binHits[bin] += hit ? 1 : 0;
        binConfidence[bin] += confidence;
    }

    /** Samples added. */
    public long count() {
        return count;
    }

    /** Share of samples whose prediction is the label, in [0, 1]. */
    public double accuracy() {
        return (double) hits / checkedCount();
    }

    /** Mean of {@code -ln max(p[label], FLOOR)}, in nats. */
    public double nll() {
        return nllSum / checkedCount();
    }

    /**
     * Expected calibration error (Guo et al. 2017, equation 3): the sum over {@link #BINS} equal bins {@code ((m-1)/M, m/M]} of the
     * predicted class's probability of {@code |hits - confidence|}, over the number of samples; in [0, 1].
     */
    public double ece() {
        double sum = 0;
        for (int b = 0; b < BINS; b++) sum += Math.abs(binHits[b] - binConfidence[b]);
        return sum / checkedCount();
    }

    /** Samples in bin {@code bin}, 0 to {@link #BINS} - 1. */
    public long binCount(int bin) {
        return binCount[bin];
    }

    /** Samples in the bin whose prediction is the label. */
    public long binHits(int bin) {
        return binHits[bin];
    }

    /** Sum of the predictions' probabilities in the bin. */
    public double binConfidence(int bin) {
        return binConfidence[bin];
    }

    @Override
    public String toString() {
        return count == 0
                ? "no samples"
                : Format.of(
                        "accuracy %.2f %%, NLL %.4f, ECE %.2f %% over %d samples",
                        100 * accuracy(), nll(), 100 * ece(), count);
    }

    private long checkedCount() {
        if (count == 0) throw new IllegalStateException("no samples were added: there is no metric of nothing");
        return count;
    }

    static void requireLabel(int label, int classes) {
        if (label >= 0 && label < classes) return;
        throw new IllegalArgumentException("label " + label + " is not one of " + classes + " classes");
    }

    /** The first index of the largest of {@code x[offset .. offset + length)}, less {@code offset}. */
    static int argmax(double[] x, int offset, int length) {
        int best = 0;
        for (int c = 1; c < length; c++) if (x[offset + c] > x[offset + best]) best = c;
        return best;
    }
}
