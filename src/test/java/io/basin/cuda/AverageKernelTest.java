package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Draws;
import org.junit.jupiter.api.Test;

/** Arithmetic on arenas against scalar Java, bit for bit. */
class AverageKernelTest {
    private static final int FLOATS = 4 * 517;
    private static final float[] LR = {0.1f, 0.1f};
    private static final float[] ALPHA = {0, 0.25f};

    private static float[][] points(int n) {
        float[][] points = new float[n][];
        for (int j = 0; j < n; j++) points[j] = Draws.normal(j, FLOATS);
        return points;
    }

    private static Address addresses(Gpu gpu, float[][] points) {
        Address[] all = new Address[points.length];
        for (int j = 0; j < all.length; j++) all[j] = gpu.put(points[j]);
        return gpu.put(all);
    }

    private static float[] combine(Gpu gpu, float[][] points, float[] coefficients, int rows, long step) {
        Address to = gpu.empty(4L * FLOATS);
        Address control = gpu.control(step, false, LR, ALPHA);
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
                FLOATS / 4);
        return gpu.floats(to, FLOATS);
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

    private static float[] moment(Gpu gpu, float[] second, float[] w, boolean broken, int t) {
        Address m = gpu.put(second);
        Address control = gpu.control(t, broken, LR, ALPHA);
        gpu.launch("average.cu", "moment", 2, m, gpu.put(w), control, LR.length, FLOATS / 4);
        return gpu.floats(m, FLOATS);
    }

    @Test
    void theSecondMomentFollowsAlphaAndRestsWhereItIsZeroOrTheLossWasBroken() {
        Gpu.run("moment", gpu -> {
            float[] second = Draws.normal(5, FLOATS);
            float[] w = Draws.normal(6, FLOATS);
            float[] expected = new float[FLOATS];
            for (int i = 0; i < FLOATS; i++) expected[i] = second[i] + ALPHA[1] * (w[i] * w[i] - second[i]);
            assertArrayEquals(expected, moment(gpu, second, w, false, 1));
            assertArrayEquals(second, moment(gpu, second, w, false, 0));
            assertArrayEquals(second, moment(gpu, second, w, true, 1));
        });
    }
}
