package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Draws;
import org.junit.jupiter.api.Test;

/** Planes against Gram and Schmidt's construction in doubles. */
class PlaneTest {
    private static final int N = 207;
    private final float[] w0 = Draws.normal(1, N);
    private final float[] w1 = Draws.normal(2, N);
    private final float[] w2 = Draws.normal(3, N);

    private static double[] minus(float[] a, float[] b) {
        double[] d = new double[a.length];
        for (int i = 0; i < d.length; i++) d[i] = (double) a[i] - b[i];
        return d;
    }

    private static double dot(double[] a, double[] b) {
        double sum = 0;
        for (int i = 0; i < a.length; i++) sum += a[i] * b[i];
        return sum;
    }

    private static double[] scaled(double[] a, double s) {
        double[] d = a.clone();
        for (int i = 0; i < d.length; i++) d[i] *= s;
        return d;
    }

    @Test
    void pointsOfThePlaneAreThoseOfGramAndSchmidt() {
        double[] u = minus(w2, w0);
        u = scaled(u, 1 / Math.sqrt(dot(u, u)));
        double[] v = minus(w1, w0);
        double along = dot(u, v);
        for (int i = 0; i < N; i++) v[i] -= along * u[i];
        double height = Math.sqrt(dot(v, v));
        v = scaled(v, 1 / height);
        Plane plane = Plane.through(w0, w1, w2);
        assertEquals(Math.sqrt(dot(minus(w2, w0), minus(w2, w0))), plane.width(), 1e-12);
        assertEquals(height, plane.height(), 1e-12);
        for (double x : new double[] {-3, 0, 0.5, 11}) {
            for (double y : new double[] {-2, 0, 7}) {
                double[] c = plane.shares(x, y);
                for (int i = 0; i < N; i++) {
                    assertEquals(w0[i] + x * u[i] + y * v[i], c[0] * w0[i] + c[1] * w1[i] + c[2] * w2[i], 1e-12);
                }
            }
        }
    }

    @Test
    void theNetsLieWhereTheyBelongAndOnThePlane() {
        Plane plane = Plane.through(w0, w1, w2);
        Plane.Spot origin = plane.project(w0);
        assertEquals(0, origin.x(), 1e-12);
        assertEquals(0, origin.y(), 1e-12);
        Plane.Spot far = plane.project(w2);
        assertEquals(plane.width(), far.x(), 1e-12);
        assertEquals(0, far.y(), 1e-12);
        assertEquals(plane.height(), plane.project(w1).y(), 1e-12);
        for (float[] w : new float[][] {w0, w1, w2}) assertTrue(plane.project(w).away() < 1e-5);
        assertArrayEquals(new double[] {1, 0, 0}, plane.shares(0, 0));
        assertArrayEquals(new double[] {0, 0, 1}, plane.shares(plane.width(), 0));
        Plane.Spot one = plane.project(w1);
        assertArrayEquals(new double[] {0, 1, 0}, plane.shares(one.x(), one.y()), 1e-12);
    }

    @Test
    void aNetOffThePlaneFallsOntoItsNearestPoint() {
        Plane plane = Plane.through(w0, w1, w2);
        float[] net = Draws.normal(9, N);
        Plane.Spot spot = plane.project(net);
        double least = square(plane, net, spot.x(), spot.y());
        assertEquals(Math.sqrt(least), spot.away(), 1e-9);
        for (double step : new double[] {-0.1, 0.1}) {
            assertTrue(square(plane, net, spot.x() + step, spot.y()) > least);
            assertTrue(square(plane, net, spot.x(), spot.y() + step) > least);
        }
    }

    private double square(Plane plane, float[] net, double x, double y) {
        double[] c = plane.shares(x, y);
        double sum = 0;
        for (int i = 0; i < N; i++) {
            double d = net[i] - (c[0] * w0[i] + c[1] * w1[i] + c[2] * w2[i]);
            sum += d * d;
        }
        return sum;
    }

    @Test
    void aPlaneAroundANetHasItsDirectionsAsAxesEvenWhereTheyAreNotPerpendicular() {
        float[] d1 = Draws.normal(5, N);
        float[] d2 = Draws.normal(6, N);
        for (int i = 0; i < N; i++) d2[i] += 0.5f * d1[i];
        Plane plane = Plane.along(w0, d1, d2);
        assertArrayEquals(new double[] {1, 0.25, -2}, plane.shares(0.25, -2));
        float[] net = new float[N];
        for (int i = 0; i < N; i++) net[i] = w0[i] + 0.25f * d1[i] - 2 * d2[i];
        Plane.Spot spot = plane.project(net);
        assertEquals(0.25, spot.x(), 1e-6);
        assertEquals(-2, spot.y(), 1e-6);
    }

    @Test
    void netsOnALineSpanNoPlane() {
        float[] middle = new float[N];
        for (int i = 0; i < N; i++) middle[i] = (w0[i] + w2[i]) / 2;
        assertThrows(IllegalArgumentException.class, () -> Plane.through(w0, middle, w2));
        assertThrows(IllegalArgumentException.class, () -> Plane.through(w0, w0, w2));
    }
}
