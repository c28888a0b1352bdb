package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Shares of control points against constructions that use no formula, and the draw of t. */
class CurveTest {
    /** De Casteljau: interpolate neighbours until one point is left. */
    private static double casteljau(double[] points, double t) {
        double[] p = points.clone();
        for (int n = p.length - 1; n > 0; n--) for (int j = 0; j < n; j++) p[j] = (1 - t) * p[j] + t * p[j + 1];
        return p[0];
    }

    /** Straight from point to point in equal shares of t. */
    private static double chain(double[] points, double t) {
        int pieces = points.length - 1;
        int piece = Math.min(pieces - 1, (int) (t * pieces));
        double along = t * pieces - piece;
        return points[piece] + along * (points[piece + 1] - points[piece]);
    }

    private static double at(Curve curve, double[] points, double t) {
        double[] c = curve.coefficients(t, points.length);
        double sum = 0;
        for (int j = 0; j < c.length; j++) sum += c[j] * points[j];
        return sum;
    }

    @Test
    void bothCurvesGoWhereTheirConstructionsGo() {
        Random random = new Random(3);
        for (int n = 2; n <= 9; n++) {
            double[] points = random.doubles(n, -1, 1).toArray();
            for (int i = 0; i < 200; i++) {
                double t = i < 3 ? i / 2.0 : random.nextDouble();
                assertEquals(casteljau(points, t), at(Curve.BEZIER, points, t), 1e-13);
                assertEquals(chain(points, t), at(Curve.POLYCHAIN, points, t), 1e-13);
            }
        }
    }

    @Test
    void theEndsAreExactlyTheEndPoints() {
        for (Curve curve : Curve.values()) {
            for (int n = 2; n <= 12; n++) {
                double[] first = new double[n];
                double[] last = new double[n];
                first[0] = 1;
                last[n - 1] = 1;
                assertArrayEquals(first, curve.coefficients(0, n));
                assertArrayEquals(last, curve.coefficients(1, n));
            }
        }
    }

    /** The default: three control points, as the papers count them with the ends. */
    @Test
    void aBezierCurveWithOneBendIsTheQuadraticOfThePaper() {
        for (double t : new double[] {0.1, 0.5, 0.9}) {
            double[] expected = {(1 - t) * (1 - t), 2 * t * (1 - t), t * t};
            assertArrayEquals(expected, Curve.BEZIER.coefficients(t, 3), 1e-15);
        }
    }

    @Test
    void theDrawsOfTAreUniformReproducibleAndDifferBetweenSeeds() {
        double[] ts = Curve.draws(100_000, 7);
        int[] bins = new int[50];
        for (double t : ts) {
            assertTrue(t >= 0 && t < 1);
            bins[(int) (t * bins.length)]++;
        }
        double expected = (double) ts.length / bins.length;
        double square = Arrays.stream(bins)
                .mapToDouble(b -> (b - expected) * (b - expected) / expected)
                .sum();
        // 49 degrees of freedom: 99.9 % of draws lie below 85.4.
        assertTrue(square < 85.4, "chi square " + square);
        assertArrayEquals(ts, Curve.draws(100_000, 7));
        assertArrayEquals(Arrays.copyOf(ts, 10), Curve.draws(10, 7));
        assertFalse(Arrays.equals(Curve.draws(10, 7), Curve.draws(10, 8)));
    }

    @Test
    void evenPointsIncludeBothEndsExactly() {
        double[] ts = Curve.even(61);
        assertEquals(61, ts.length);
        assertEquals(0, ts[0]);
        assertEquals(1, ts[60]);
        assertEquals(0.5, ts[30]);
    }
}
