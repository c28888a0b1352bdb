package io.basin.landscape;

import io.basin.device.Device;
import io.basin.device.Memory;
import java.util.Arrays;
import java.util.List;

/**
 * LossAndError at points along a path through weight space.
 *
 * @param ts where on the path, rising
 * @param figures at each t
 * @param lengths of the straight pieces between neighbouring points
 */
public record PathMetrics(double[] ts, LossAndError[] figures, double[] lengths) {
    /** Length of the path as the sum of its pieces. */
    public double length() {
        return Arrays.stream(lengths).sum();
    }

    public PathSummary trainLoss() {
        return PathSummary.of(figures, lengths, LossAndError::trainLoss);
    }

    public PathSummary trainError() {
        return PathSummary.of(figures, lengths, LossAndError::trainError);
    }

    public PathSummary testLoss() {
        return PathSummary.of(figures, lengths, LossAndError::testLoss);
    }

    public PathSummary testError() {
        return PathSummary.of(figures, lengths, LossAndError::testError);
    }

    /**
     * Distances between neighbouring combinations of the same points, from the points' inner products alone: shares sum to 1, so
     * a step changes them by d with sum 0, and its square length is d' G d for products G of differences to the first point.
     */
    public static double[] lengths(Device device, List<Memory> points, double[][] shares) {
        double[][] gram = new double[points.size()][points.size()];
        float[] origin = Vectors.read(device, points.get(0));
        for (int i = 1; i < points.size(); i++) {
            float[] a = Vectors.read(device, points.get(i));
            for (int j = 1; j <= i; j++) {
                float[] b = j == i ? a : Vectors.read(device, points.get(j));
                gram[i][j] = Vectors.dot(a, b, origin);
                gram[j][i] = gram[i][j];
            }
        }
        double[] lengths = new double[shares.length - 1];
        for (int s = 1; s < shares.length; s++) {
            double square = 0;
            for (int i = 1; i < gram.length; i++) {
                for (int j = 1; j < gram.length; j++) {
                    square += (shares[s][i] - shares[s - 1][i]) * gram[i][j] * (shares[s][j] - shares[s - 1][j]);
                }
            }
            lengths[s - 1] = Math.sqrt(Math.max(0, square));
        }
        return lengths;
    }
}
