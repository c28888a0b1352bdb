package io.basin.ensemble;

import io.basin.Api;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Metrics of every member and of every prefix ensemble of 1 to k members, from one pass; {@link #accept} takes a member.
 *
 * <p>Combiners: the mean of probabilities; the weighted mean; the majority vote, whose ties go to the class with the larger summed
 * probability (then to the first), and whose probabilities are the shares of votes. Memory is three running sums over the samples
 * and a few counters for each prefix; members' predictions are not kept.
 */
@Api
public final class StreamingEnsemble implements Consumer<double[]> {
    /** How far a row may sum from 1 and an entry leave [0, 1]: a softmax in half precision passes, logits do not. */
    private static final double TOLERANCE = 1e-3;

    private final int[] labels;
    private final int classes;
    private final double[] weights;
    private final List<Metrics> single = new ArrayList<>();
    private final List<Metrics> mean = new ArrayList<>();
    private final List<Metrics> weighted = new ArrayList<>();
    private final List<Metrics> vote = new ArrayList<>();
    private final double[] sum; // (samples, classes)
    private final double[] weightedSum; // (samples, classes)
    private final double[] votes; // (samples, classes)
    private double weightsSeen;

    /**
     * Of {@code source}'s samples and members.
     *
     * @param weights one for each member, positive and finite, not fitted on test data; scaled to sum 1 over each prefix
     */
    public StreamingEnsemble(MemberSource source, double... weights) {
        if (weights.length != source.members()) {
            throw new IllegalArgumentException(weights.length + " weights for " + source.members() + " members");
        }
        for (double weight : weights) {
            if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("a member's weight must be positive and finite, got " + weight
                        + "; leave the member out instead");
            }
        }
        requireSizes(source);
        labels = source.labels();
        classes = source.classes();
        this.weights = weights.clone();
        sum = new double[Math.multiplyExact(labels.length, classes)];
        weightedSum = new double[sum.length];
        votes = new double[sum.length];
    }

    /** Equal weights: the weighted mean is the mean. */
    public static StreamingEnsemble equal(MemberSource source) {
        double[] ones = new double[source.members()];
        Arrays.fill(ones, 1);
        return new StreamingEnsemble(source, ones);
    }

    /**
     * Adds the next member.
     *
     * @param p (samples, classes), not kept
     * @throws IllegalArgumentException naming the member and the sample, if a row is not finite, leaves [0, 1] or does not sum to
     *     1; nothing was changed then
     * @throws IllegalStateException after the last member
     */
    @Override
    public void accept(double[] p) {
        int k = single.size();
        if (k == weights.length) throw new IllegalStateException("more members than the " + k + " announced");
        requireProbabilities(p, labels.length, classes, k);
        weightsSeen += weights[k];
        for (List<Metrics> prefixes : List.of(single, mean, weighted, vote)) prefixes.add(new Metrics(classes));
        for (int i = 0; i < labels.length; i++) {
            int at = i * classes;
            int choice = Metrics.argmax(p, at, classes);
            single.get(k).add(p, at, choice, labels[i]);
            for (int c = 0; c < classes; c++) {
                sum[at + c] += p[at + c];
                weightedSum[at + c] += weights[k] * p[at + c];
            }
            votes[at + choice]++;
            scaled(mean.get(k), sum, at, k + 1.0, Metrics.argmax(sum, at, classes), labels[i]);
            scaled(weighted.get(k), weightedSum, at, weightsSeen, Metrics.argmax(weightedSum, at, classes), labels[i]);
            scaled(vote.get(k), votes, at, k + 1.0, winner(at), labels[i]);
        }
    }

    public List<Metrics> members() {
        return List.copyOf(single);
    }

    /** Metrics of the mean of the first 1, 2, ... k members' probabilities. */
    public List<Metrics> mean() {
        return List.copyOf(mean);
    }

    /** Metrics of the weighted mean of the first 1, 2, ... k members' probabilities. */
    public List<Metrics> weighted() {
        return List.copyOf(weighted);
    }

    /** Metrics of the vote of the first 1, 2, ... k members. */
    public List<Metrics> vote() {
        return List.copyOf(vote);
    }

    private void scaled(Metrics metrics, double[] x, int at, double divisor, int prediction, int label) {
        double[] row = Arrays.copyOfRange(x, at, at + classes);
        for (int c = 0; c < classes; c++) row[c] /= divisor;
        metrics.add(row, 0, prediction, label);
    }

    private int winner(int at) {
        int best = 0;
        for (int c = 1; c < classes; c++) {
            double more = votes[at + c] - votes[at + best];
            if (more > 0 || (more == 0 && sum[at + c] > sum[at + best])) best = c;
        }
        return best;
    }

    /** @throws IllegalArgumentException if there are too few members or classes, or a label has no class */
    static void requireSizes(MemberSource source) {
        if (source.members() < 1) {
            throw new IllegalArgumentException("an ensemble needs at least one member, got " + source.members());
        }
        if (source.classes() < 2) {
            throw new IllegalArgumentException("an ensemble needs at least two classes, got " + source.classes());
        }
        for (int label : source.labels()) Metrics.requireLabel(label, source.classes());
    }

    static void requireProbabilities(double[] p, int samples, int classes, int member) {
        if (p.length != (long) samples * classes) {
            throw new IllegalArgumentException("member " + member + ": " + p.length + " probabilities for " + samples
                    + " samples of " + classes + " classes");
        }
        for (int i = 0; i < samples; i++) {
            double total = 0;
            for (int c = 0; c < classes; c++) {
                double x = p[i * classes + c];
                // Written so that NaN fails.
                if (!(x >= -TOLERANCE && x <= 1 + TOLERANCE)) {
                    throw new IllegalArgumentException(
                            "member " + member + ", sample " + i + ", class " + c + ": " + x + " is not a probability");
                }
                total += x;
            }
            if (Math.abs(total - 1) > TOLERANCE) {
                throw new IllegalArgumentException("member " + member + ", sample " + i + ": probabilities sum to "
                        + total + ", are they logits?");
            }
        }
    }
}
