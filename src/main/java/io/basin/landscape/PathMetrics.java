package io.basin.landscape;

import io.basin.Api;
import io.basin.device.Device;
import io.basin.device.Memory;
import java.util.Arrays;
import java.util.DoubleSummaryStatistics;
import java.util.List;
import java.util.function.ToDoubleFunction;

/**
 * Losses and errors at points along a path through weight space.
 *
 * @param ts where on the path, rising
 * @param figures at each t
 * @param lengths of the straight pieces between neighbouring points
 * @param decay weight decay's term of the training loss at each t, wd/2 |w|^2 over the weights that decay
 */
@Api
public record PathMetrics(double[] ts, LossAndError[] figures, double[] lengths, double[] decay) {
    /**
     * A figure along a path: at its ends, its lowest, highest and mean value over the points, and its mean over the
     * path's length, sum of (v_(i-1) + v_i) / 2 dl_i over the sum of dl_i.
     *
     * @param mean over the points, however far apart they lie
     * @param integral mean over the length
     */
    public record Summary(double first, double last, double min, double max, double mean, double integral) {
        /** @param lengths of the pieces between neighbouring points, one fewer than {@code values} */
        static Summary of(double[] values, double[] lengths) {
            double weighted = 0;
            double length = 0;
            for (int i = 1; i < values.length; i++) {
                weighted += (values[i - 1] + values[i]) / 2 * lengths[i - 1];
                length += lengths[i - 1];
            }
            DoubleSummaryStatistics all = Arrays.stream(values).summaryStatistics();
            double mean = Arrays.stream(values).average().orElseThrow();
            double last = values[values.length - 1];
            return new Summary(values[0], last, all.getMin(), all.getMax(), mean, weighted / length);
        }
    }

    /** Length of the path as the sum of its pieces. */
    public double length() {
        return Arrays.stream(lengths).sum();
    }

    public Summary of(ToDoubleFunction<LossAndError> figure) {
        return Summary.of(Arrays.stream(figures).mapToDouble(figure).toArray(), lengths);
    }

    public Summary ofRegularised() {
        return Summary.of(regularised(), lengths);
    }

    /** The objective of training at each t: training loss and weight decay's term. */
    public double[] regularised() {
        double[] all = new double[ts.length];
        for (int i = 0; i < all.length; i++) all[i] = figures[i].trainLoss() + decay[i];
        return all;
    }

    /**
     * |w|^2 of combinations of the same points, from the points' inner products alone.
     *
     * @param count leading values of an arena that count
     */
    static double[] squares(Device device, List<Memory> points, double[][] shares, int count) {
        List<float[]> values = points.stream()
                .map(p -> Arrays.copyOf(Vectors.read(device, p), count))
                .toList();
        double[][] gram = new double[points.size()][points.size()];
        for (int i = 0; i < gram.length; i++) {
            for (int j = 0; j < gram.length; j++) gram[i][j] = Vectors.dot(values.get(i), values.get(j));
        }
        return Arrays.stream(shares)
                .mapToDouble(row -> {
                    double square = 0;
                    for (int i = 0; i < gram.length; i++) {
                        for (int j = 0; j < gram.length; j++) square += row[i] * gram[i][j] * row[j];
                    }
                    return square;
                })
                .toArray();
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
