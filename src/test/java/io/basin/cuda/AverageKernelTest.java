package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Draws;
import org.junit.jupiter.api.Test;

/** Arithmetic on arenas against scalar Java, bit for bit. */
class AverageKernelTest {
    private static final int FLOATS = 4 * 517;
    private static final float[] LR = {0.1f, 0.1f, 0.1f};
    private static final float[] ALPHA = {0, 0.25f, 1};

    private static float[][] points(int n) {
        float[][] points = new float[n][];
        for (int j = 0; j < n; j++) points[j] = Draws.normal(j, FLOATS);
        return points;
    }

    private static DevicePointer addresses(Gpu gpu, float[][] points) {
        DevicePointer[] all = new DevicePointer[points.length];
        for (int j = 0; j < all.length; j++) all[j] = gpu.put(points[j]);
        return gpu.put(all);
    }

    private static float[] combine(Gpu gpu, float[][] points, float[] coefficients, int rows, long step) {
        DevicePointer to = gpu.empty(4L * FLOATS);
        DevicePointer control = gpu.control(step, false, LR, ALPHA);
        DevicePointer copy = gpu.empty(2L * FLOATS);
        gpu.launch(
                "average.cu",
                "combine",
                2,
                to,
                addresses(gpu, points),
                points.length,
                gpu.put(coefficients),
                rows,
                control,
                FLOATS / 4,
                copy);
        float[] sums = gpu.floats(to, FLOATS);
        assertArrayEquals(Elements.BFLOAT16.rounded(sums), Elements.BFLOAT16.read(gpu, copy, FLOATS));
        return sums;
    }

    @Test
    void combinationsOfUpToThirtyTwoPointsAreExact() {
        Gpu.run("combine", gpu -> {
            for (int n : new int[] {1, 2, 3, 5, 32}) {
                float[][] points = points(n);
                float[] c = Draws.normal(99, 2L * n);
                for (int rows = 1; rows <= 2; rows++) {
                    float[] expected = new float[FLOATS];
                    int row = rows == 1 ? 0 : 1;
                    for (int i = 0; i < FLOATS; i++) {
                        for (int j = 0; j < n; j++) expected[i] = expected[i] + c[row * n + j] * points[j][i];
                    }
                    float[] given = java.util.Arrays.copyOf(c, rows * n);
                    assertArrayEquals(expected, combine(gpu, points, given, rows, 1));
                }
            }
        });
    }

    @Test
    void aPointWithoutAShareTakesNoPartAndOneWithAShareOfOneIsCopiedBitForBit() {
        Gpu.run("combine", gpu -> {
            float[][] points = points(3);
            java.util.Arrays.fill(points[1], Float.NaN);
            points[0][5] = -0.0f;
            points[2][6] = -0.0f;
            assertArrayEquals(points[0], combine(gpu, points, new float[] {1, 0, 0}, 1, 7));
            assertArrayEquals(points[2], combine(gpu, points, new float[] {0, 0, 1}, 1, 7));
            assertArrayEquals(new float[FLOATS], combine(gpu, points, new float[] {0, 0, 0}, 1, 7));
        });
    }

    @Test
    void aCombinationReadsEachPointThatTakesPartOnceAndWritesOnce() {
        Gpu.run("traffic of combine", gpu -> {
            float[] c = {0.2f, 0, 0.5f};
            Traffic traffic = Traffic.of(gpu, "combine", () -> combine(gpu, points(3), c, 1, 0));
            if (traffic == null) return;
            assertEquals(4L * FLOATS * (2 + 1), traffic.wide());
        });
    }

    private static float[] moment(Gpu gpu, float[] s, float[] w, float[] a, boolean broken, int t) {
        DevicePointer m = gpu.put(s);
        DevicePointer control = gpu.control(t, broken, LR, ALPHA);
        gpu.launch("average.cu", "moment", 2, m, gpu.put(w), gpu.put(a), control, LR.length, FLOATS / 4);
        return gpu.floats(m, FLOATS);
    }

    @Test
    void theMomentFollowsItsFormulaAndRestsWhereAlphaIsZeroOrTheLossWasBroken() {
        Gpu.run("moment", gpu -> {
            float[] s = Draws.normal(5, FLOATS);
            float[] w = Draws.normal(6, FLOATS);
            float[] a = Draws.normal(7, FLOATS);
            float[] expected = new float[FLOATS];
            float gain = 0.25f / 0.75f;
            for (int i = 0; i < FLOATS; i++) {
                float d = w[i] - a[i];
                expected[i] = 0.75f * s[i] + gain * (d * d);
            }
            assertArrayEquals(expected, moment(gpu, s, w, a, false, 1));
            assertArrayEquals(new float[FLOATS], moment(gpu, s, w, a, false, 2));
            assertArrayEquals(s, moment(gpu, s, w, a, false, 0));
            assertArrayEquals(s, moment(gpu, s, w, a, true, 1));
        });
    }

    /** Where a mean of squares less the square of the mean has no correct digit left. */
    @Test
    void theMomentOfWeightsThatHardlyVaryIsTheirVariance() {
        Gpu.run("variance by moments", gpu -> {
            int models = 7;
            float[] alpha = new float[models];
            float[] mean = new float[4];
            double[][] w = new double[models][4];
            DevicePointer s = gpu.put(new float[4]);
            for (int n = 0; n < models; n++) {
                alpha[n] = 1f / (n + 1);
                float[] draws = Draws.normal(n, 4);
                float[] model = new float[4];
                for (int i = 0; i < 4; i++) {
                    model[i] = 1 + i + 2e-5f * draws[i];
                    w[n][i] = model[i];
                    mean[i] = mean[i] + alpha[n] * (model[i] - mean[i]);
                }
                DevicePointer control =
                        gpu.control(n, false, new float[models], java.util.Arrays.copyOf(alpha, models));
                gpu.launch("average.cu", "moment", 1, s, gpu.put(model), gpu.put(mean), control, models, 1);
            }
            float[] variance = gpu.floats(s, 4);
            for (int i = 0; i < 4; i++) {
                double average = 0;
                double expected = 0;
                for (double[] model : w) average += model[i] / models;
                for (double[] model : w) expected += Math.pow(model[i] - average, 2) / models;
                assertEquals(expected, variance[i], 0.05 * expected, "element " + i);
            }
        });
    }
}
