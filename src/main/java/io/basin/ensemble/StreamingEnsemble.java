package io.basin.ensemble;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Metrics of every member and of every prefix ensemble of 1 to k members, from one pass.
 *
 * <p>Combiners: the mean of probabilities; the weighted mean; the majority vote, whose ties go to the class with the larger summed
 * probability (then to the first), and whose probabilities are the shares of votes. Memory is three running sums over one batch
 * and a few counters for each prefix; members' predictions are not kept.
 */
public final class StreamingEnsemble implements MemberSink {
    private final Batch batch;
    private final double[] weights;
    private final List<Metrics> single;
    private final List<Metrics> mean;
    private final List<Metrics> weighted;
    private final List<Metrics> vote;
    private double[] sum = new double[0]; // (count, classes)
    private double[] weightedSum = new double[0]; // (count, classes)
    private double[] votes = new double[0]; // (count, classes)
    private final double[] row; // (classes)

    /** Equal weights: the weighted mean is the mean. */
    public StreamingEnsemble(int members, int classes) {
        this(classes, equal(members));
    }

    /**
     * @param weights one for each member, positive and finite, not fitted on test data; scaled to sum 1 over each prefix
     */
    public StreamingEnsemble(int classes, double[] weights) {
        for (double weight : weights) {
            if (!(weight > 0 && weight < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("a member's weight must be positive and finite, got " + weight
                        + "; leave the member out instead");
            }
        }
        this.batch = new Batch(weights.length, classes);
        this.weights = weights.clone();
        this.row = new double[classes];
        single = metrics();
        mean = metrics();
        weighted = metrics();
        vote = metrics();
    }

    @Override
    public void begin(int[] labels, int count) {
        batch.begin(labels, count);
        int size = Math.multiplyExact(count, batch.classes);
        if (sum.length < size) {
            sum = new double[size];
            weightedSum = new double[size];
            votes = new double[size];
        }
        Arrays.fill(sum, 0, size, 0);
        Arrays.fill(weightedSum, 0, size, 0);
        Arrays.fill(votes, 0, size, 0);
    }

    @Override
    public void member(double[] probabilities) {
        int k = batch.member(probabilities);
        double total = 0;
        for (int i = 0; i <= k; i++) {
            total += weights[i];
        }
        int classes = batch.classes;
        for (int i = 0; i < batch.count; i++) {
            int at = i * classes;
            int label = batch.labels[i];
            int choice = Batch.argmax(probabilities, at, classes);
            single.get(k).add(probabilities, at, choice, label);
            for (int c = 0; c < classes; c++) {
                sum[at + c] += probabilities[at + c];
                weightedSum[at + c] += weights[k] * probabilities[at + c];
            }
            votes[at + choice]++;
            scaled(mean.get(k), sum, at, k + 1.0, Batch.argmax(sum, at, classes), label);
            scaled(weighted.get(k), weightedSum, at, total, Batch.argmax(weightedSum, at, classes), label);
            scaled(vote.get(k), votes, at, k + 1.0, winner(at), label);
        }
    }

    @Override
    public void end() {
        batch.end();
    }

    /** Metrics of each member alone. */
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
        for (int c = 0; c < row.length; c++) {
            row[c] = x[at + c] / divisor;
        }
        metrics.add(row, 0, prediction, label);
    }

    private int winner(int at) {
        int best = 0;
        for (int c = 1; c < batch.classes; c++) {
            double more = votes[at + c] - votes[at + best];
            if (more > 0 || (more == 0 && sum[at + c] > sum[at + best])) {
                best = c;
            }
        }
        return best;
    }

    private List<Metrics> metrics() {
        List<Metrics> all = new ArrayList<>();
        for (int i = 0; i < batch.members; i++) {
            all.add(new Metrics(batch.classes));
        }
        return all;
    }

    private static double[] equal(int members) {
        double[] ones = new double[Math.max(0, members)];
        Arrays.fill(ones, 1);
        return ones;
    }
}
