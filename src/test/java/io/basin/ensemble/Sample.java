package io.basin.ensemble;

import java.util.SplittableRandom;
import java.util.function.Consumer;

/** A small data set of members' predictions, kept whole, for oracles that may look at everything. */
record Sample(double[][][] p /* (members, samples, classes) */, int[] labels) implements MemberSource {

    /** Each member's probabilities of one sample. */
    static Sample one(int label, double[]... members) {
        double[][][] p = new double[members.length][][];
        for (int m = 0; m < p.length; m++) p[m] = new double[][] {members[m]};
        return new Sample(p, new int[] {label});
    }

    /** Predictions that are right somewhat more often than chance; member 0 is the best. */
    static Sample random(long seed, int members, int samples, int classes) {
        SplittableRandom random = new SplittableRandom(seed);
        double[][][] p = new double[members][samples][classes];
        int[] labels = random.ints(samples, 0, classes).toArray();
        for (int m = 0; m < members; m++) {
            for (int i = 0; i < samples; i++) {
                double sum = 0;
                for (int c = 0; c < classes; c++) {
                    double logit = 3 * random.nextDouble() + (c == labels[i] ? 1.5 / (m + 1) : 0);
                    p[m][i][c] = Math.exp(logit);
                    sum += p[m][i][c];
                }
                for (int c = 0; c < classes; c++) {
                    p[m][i][c] /= sum;
                }
            }
        }
        return new Sample(p, labels);
    }

    @Override
    public int members() {
        return p.length;
    }

    @Override
    public int classes() {
        return p[0][0].length;
    }

    int samples() {
        return labels.length;
    }

    /** Through one reused array. */
    @Override
    public void stream(Consumer<double[]> sink) {
        double[] buffer = new double[samples() * classes()];
        for (double[][] member : p) {
            for (int i = 0; i < samples(); i++) System.arraycopy(member[i], 0, buffer, i * classes(), classes());
            sink.accept(buffer);
        }
    }

    /** Row i of all members side by side. */
    double[] features(int i) {
        double[] x = new double[members() * classes()];
        for (int m = 0; m < members(); m++) {
            System.arraycopy(p[m][i], 0, x, m * classes(), classes());
        }
        return x;
    }
}
