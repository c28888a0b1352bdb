package io.basin.geometry;

import io.basin.random.Philox;
import io.basin.random.Streams;

/**
 * Curves through weight space, as the shares c_j(t) that the control points w_0 to w_(n-1) have of w(t), t in [0, 1].
 *
 * <p>Source: Garipov et al. 2018 (arXiv 1802.10026), equations 3 and 4. The first and the last point are the ends.
 */
public enum Curve {
    /** c_j(t) = C(n-1, j) t^j (1-t)^(n-1-j). */
    BEZIER {
        @Override
        public double[] coefficients(double t, int points) {
            double[] c = new double[points];
            double binomial = 1;
            for (int j = 0; j < points; j++) {
                c[j] = binomial * StrictMath.pow(t, j) * StrictMath.pow(1 - t, points - 1 - j);
                binomial = binomial * (points - 1 - j) / (j + 1);
            }
            return c;
        }
    },
    /** c_j(t) = max(0, 1 - |t (n-1) - j|): straight from point to point. */
    POLYCHAIN {
        @Override
        public double[] coefficients(double t, int points) {
            double[] c = new double[points];
            for (int j = 0; j < points; j++) c[j] = Math.max(0, 1 - Math.abs(t * (points - 1) - j));
            return c;
        }
    };

    /** The shares of {@code points} control points at t; they are not negative and sum to 1. */
    public abstract double[] coefficients(double t, int points);

    /** One row of shares for each t. */
    public double[][] table(double[] ts, int points) {
        double[][] rows = new double[ts.length][];
        for (int i = 0; i < ts.length; i++) rows[i] = coefficients(ts[i], points);
        return rows;
    }

    /** t ~ U[0, 1) for every step of a run, from a random stream of its own. */
    public static double[] draws(int steps, long seed) {
        double[] ts = new double[steps];
        for (int s = 0; s < steps; s++) {
            long bits = Philox.pair(s, 0, 0, Streams.CURVE, (int) seed, (int) (seed >>> 32));
            ts[s] = (bits >>> 11) * 0x1p-53;
        }
        return ts;
    }

    /** {@code count} values from 0 to 1, both exact, at equal distances. */
    public static double[] even(int count) {
        double[] ts = new double[count];
        for (int i = 0; i < count; i++) ts[i] = (double) i / (count - 1);
        return ts;
    }
}
