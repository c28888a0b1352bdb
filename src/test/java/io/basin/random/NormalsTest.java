package io.basin.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class NormalsTest {
    private static double[] draw(int n, int a, int b, int stream, long key) {
        double[] z = new double[n];
        Normals.fill(z, a, b, stream, key);
        return z;
    }

    @Test
    void theFirstPairIsBoxAndMullersOfThePublishedBlock() {
        // Philox4x32-10 of zero counter and key begins with these words.
        double u = (0x6627e8d5L + 0.5) / 4294967296.0;
        double v = (0xe169c58dL + 0.5) / 4294967296.0;
        double[] z = draw(2, 0, 0, 0, 0);
        assertEquals(Math.sqrt(-2 * Math.log(u)) * Math.cos(2 * Math.PI * v), z[0], 1e-12);
        assertEquals(Math.sqrt(-2 * Math.log(u)) * Math.sin(2 * Math.PI * v), z[1], 1e-12);
    }

    @Test
    void theFirstFourMomentsAreThoseOfANormal() {
        int n = 200_000;
        double[] z = draw(n, 3, 4, 5, 6);
        double[] moments = new double[5];
        for (double x : z) for (int k = 1; k <= 4; k++) moments[k] += Math.pow(x, k) / n;
        // Five standard errors of each moment: sqrt of 1, 2, 15, 96 over n.
        assertEquals(0, moments[1], 5 * Math.sqrt(1.0 / n));
        assertEquals(1, moments[2], 5 * Math.sqrt(2.0 / n));
        assertEquals(0, moments[3], 5 * Math.sqrt(15.0 / n));
        assertEquals(3, moments[4], 5 * Math.sqrt(96.0 / n));
    }

    @Test
    void aShorterFillBeginsALongerOneAndEveryArgumentMatters() {
        double[] z = draw(11, 1, 2, 3, 4);
        assertArrayEquals(Arrays.copyOf(z, 7), draw(7, 1, 2, 3, 4));
        for (double[] other : new double[][] {
            draw(11, 9, 2, 3, 4),
            draw(11, 1, 9, 3, 4),
            draw(11, 1, 2, 9, 4),
            draw(11, 1, 2, 3, 9),
            draw(11, 1, 2, 3, 4L << 32)
        }) {
            for (int i = 0; i < z.length; i++) assertTrue(z[i] != other[i]);
        }
    }
}
