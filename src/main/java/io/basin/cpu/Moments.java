package io.basin.cpu;

import java.nio.FloatBuffer;
import java.util.Arrays;

/** Means and variances per channel, merged piece by piece in double: Chan, Golub and LeVeque's pairwise update. */
final class Moments {
    private final double[] mean;
    private final double[] squares;
    private long seen;

    Moments(int channels) {
        mean = new double[channels];
        squares = new double[channels];
    }

    void reset() {
        Arrays.fill(mean, 0);
        Arrays.fill(squares, 0);
        seen = 0;
    }

    boolean empty() {
        return seen == 0;
    }

    /** Takes in {@code count} values per channel with these means and biased variances. */
    void merge(FloatBuffer means, FloatBuffer variances, long count) {
        for (int c = 0; c < mean.length; c++) merge(c, means.get(c), variances.get(c) * (double) count, count);
        seen += count;
    }

    void merge(Moments other) {
        for (int c = 0; c < mean.length; c++) merge(c, other.mean[c], other.squares[c], other.seen);
        seen += other.seen;
    }

    private void merge(int c, double otherMean, double otherSquares, long count) {
        double total = seen + count;
        double delta = otherMean - mean[c];
        squares[c] += otherSquares + delta * delta * seen * count / total;
        mean[c] += delta * count / total;
    }

    void write(FloatBuffer means, FloatBuffer variances) {
        for (int c = 0; c < mean.length; c++) {
            means.put(c, (float) mean[c]);
            variances.put(c, (float) (squares[c] / seen));
        }
    }
}
