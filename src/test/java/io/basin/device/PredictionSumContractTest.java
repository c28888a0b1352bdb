package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Sums, likeliest classes and votes against loops over all members at once, bit for bit, ties included. */
class PredictionSumContractTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final int OFFSET = 12;

    /** Few distinct values, so that ties happen between classes and between votes. */
    private static float[][] members(int count, int rows, int classes) {
        float[][] all = new float[count][];
        for (int m = 0; m < count; m++) {
            all[m] = Draws.normal(7L * m + classes, (long) rows * classes);
            for (int i = 0; i < all[m].length; i++) all[m][i] = Math.round(2 * all[m][i]) / 8f;
        }
        return all;
    }

    private static int best(double[] x, double[] tie) {
        int best = 0;
        for (int k = 1; k < x.length; k++) {
            if (x[k] > x[best] || x[k] == x[best] && tie[k] > tie[best]) best = k;
        }
        return best;
    }

    private static void check(Device device, int rows, int classes, int batch, double[] weights) {
        check(device, members(weights.length, rows, classes), rows, classes, batch, weights);
    }

    private static void check(Device device, float[][] members, int rows, int classes, int batch, double[] weights) {
        try (PredictionSum all = device.arenas().predictionSum(rows, classes);
                Memory memory = device.allocate(OFFSET + 4L * batch * classes)) {
            for (int m = 0; m < weights.length; m++) {
                for (int first = 0; first < rows; first += batch) {
                    int count = Math.min(batch, rows - first);
                    ByteBuffer bytes =
                            ByteBuffer.allocateDirect(4 * count * classes).order(ByteOrder.nativeOrder());
                    bytes.asFloatBuffer().put(members[m], first * classes, count * classes);
                    device.upload(memory, OFFSET, bytes);
                    all.add(weights[m], memory, OFFSET, first, count);
                }
            }
            double[] sums = new double[rows * classes];
            int[] likeliest = new int[rows];
            int[] elected = new int[rows];
            for (int r = 0; r < rows; r++) {
                double[] sum = new double[classes];
                double[] votes = new double[classes];
                for (int m = 0; m < weights.length; m++) {
                    double[] p = new double[classes];
                    for (int k = 0; k < classes; k++) p[k] = members[m][r * classes + k];
                    for (int k = 0; k < classes; k++) sum[k] += weights[m] * p[k];
                    votes[best(p, new double[classes])]++;
                }
                System.arraycopy(sum, 0, sums, r * classes, classes);
                likeliest[r] = best(sum, new double[classes]);
                elected[r] = best(votes, sum);
            }
            assertArrayEquals(sums, all.sums());
            assertArrayEquals(likeliest, all.likeliest());
            assertArrayEquals(elected, all.elected());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void sumsVotesAndChoicesAreThoseOfTheMembers(Subject subject) {
        try (Device device = subject.open()) {
            check(device, 1, 2, 1, new double[] {1});
            check(device, 53, 10, 16, new double[] {0.25, 0.25, 0.25, 0.25});
            check(device, 41, 45, 41, new double[] {1 / 3.0, 0.2, 2});
            assertEquals(0, device.liveBytes());
        }
    }

    /** A diverged member gives every class of a sample NaN: its vote goes to the first class, and the others' votes count. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aMemberWhoseProbabilitiesAreNoNumbersHasOneVoteLikeTheOthers(Subject subject) {
        for (int diverged = 0; diverged < 3; diverged++) {
            float[][] members = members(3, 53, 10);
            java.util.Arrays.fill(members[diverged], Float.NaN);
            for (Device device : new Device[] {subject.open(), new ReferenceDevice()}) {
                try (device) {
                    check(device, members, 53, 10, 16, new double[] {0.25, 0.5, 0.25});
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void samplesThatItHasNoRoomForAreRefused(Subject subject) {
        try (Device device = subject.open();
                PredictionSum all = device.arenas().predictionSum(5, 3);
                Memory memory = device.allocate(36)) {
            assertThrows(RuntimeException.class, () -> all.add(1, memory, 0, 3, 3));
            assertThrows(RuntimeException.class, () -> all.add(1, memory, 4, 0, 3));
        }
    }
}
