package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.basin.device.Draws;
import org.junit.jupiter.api.Test;

/** Sums, choices and votes of members against the same loops in Java, bit for bit. */
class EnsembleKernelTest {
    private static final int ROWS = 21;
    private static final int MEMBERS = 5;

    /** Probabilities with few distinct values, so that ties happen. */
    private static float[] member(int m, int classes) {
        float[] p = Draws.normal(m + 31L * classes, (long) ROWS * classes);
        for (int i = 0; i < p.length; i++) p[i] = Math.round(Math.abs(p[i]) * 2) / 16f + (i % 3) * 0.0625f;
        return p;
    }

    private static int first(double[] x, int from, int classes) {
        int best = 0;
        for (int k = 1; k < classes; k++) if (x[from + k] > x[from + best]) best = k;
        return best;
    }

    @Test
    void sumsVotesAndChoicesOfEveryPrefixAreExact() {
        Gpu.run("ensemble", gpu -> {
            for (int classes : new int[] {1, 2, 10, 32, 45}) {
                int size = ROWS * classes;
                double[] sum = new double[size];
                int[] votes = new int[size];
                DevicePointer sums = gpu.put(sum);
                DevicePointer counts = gpu.put(votes);
                for (int m = 0; m < MEMBERS; m++) {
                    float[] p = member(m, classes);
                    double weight = 1 / (1.0 + m);
                    add(sum, votes, p, weight, classes);
                    gpu.launch("ensemble.cu", "accumulate", 3, sums, counts, gpu.put(p), weight, ROWS, classes);
                    assertArrayEquals(sum, gpu.doubles(sums, size));
                    assertArrayEquals(votes, gpu.ints(counts, size));
                    checkChoices(gpu, sum, votes, sums, counts, classes);
                }
            }
        });
    }

    private static void add(double[] sum, int[] votes, float[] p, double weight, int classes) {
        double[] wide = new double[p.length];
        for (int i = 0; i < p.length; i++) {
            wide[i] = p[i];
            sum[i] += weight * p[i];
        }
        for (int r = 0; r < ROWS; r++) votes[r * classes + first(wide, r * classes, classes)]++;
    }

    private static void checkChoices(
            Gpu gpu, double[] sum, int[] votes, DevicePointer sums, DevicePointer counts, int classes) {
        int[] likeliest = new int[ROWS];
        int[] elected = new int[ROWS];
        for (int r = 0; r < ROWS; r++) {
            int at = r * classes;
            likeliest[r] = first(sum, at, classes);
            for (int k = 1; k < classes; k++) {
                int more = votes[at + k] - votes[at + elected[r]];
                if (more > 0 || (more == 0 && sum[at + k] > sum[at + elected[r]])) elected[r] = k;
            }
        }
        DevicePointer choice = gpu.empty(4L * ROWS);
        gpu.launch("ensemble.cu", "argmax", 3, choice, sums, ROWS, classes);
        assertArrayEquals(likeliest, gpu.ints(choice, ROWS));
        gpu.launch("ensemble.cu", "vote", 3, choice, counts, sums, ROWS, classes);
        assertArrayEquals(elected, gpu.ints(choice, ROWS));
    }

    @Test
    void withoutVotesOnlySumsAreKept() {
        Gpu.run("ensemble", gpu -> {
            float[] p = member(0, 4);
            double[] sum = new double[p.length];
            add(sum, new int[p.length], p, 1, 4);
            DevicePointer sums = gpu.put(new double[p.length]);
            gpu.launch("ensemble.cu", "accumulate", 3, sums, null, gpu.put(p), 1.0, ROWS, 4);
            assertArrayEquals(sum, gpu.doubles(sums, p.length));
        });
    }
}
