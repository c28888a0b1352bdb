package io.basin.methods;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class AveragingTest {
    /** What the device does with the table, starting from zero. */
    private static double replay(Averaging averaging, double[] w) {
        double average = 0;
        for (int s = 0; s < w.length; s++) {
            average += averaging.alpha(s) * (w[s] - average);
        }
        return average;
    }

    private static double mean(double[] w, int[] at) {
        return Arrays.stream(at).mapToDouble(s -> w[s]).sum() / at.length;
    }

    private static double[] walk(int steps) {
        SplittableRandom random = new SplittableRandom(steps);
        return random.doubles(steps).map(x -> x - 0.3).toArray();
    }

    @Test
    void theAverageOfZeroAndThreeIsOneAndAHalf() {
        assertEquals(1.5, replay(Averaging.swa(2, 0, 1), new double[] {0, 3}));
        assertEquals(1.5, replay(Averaging.tail(2, 0), new double[] {0, 3}));
    }

    @Test
    void swaDividesByCollectedModelsNotByEpochs() {
        // 20 epochs of 5 steps, collected every second epoch from epoch 10 on: 6 models.
        Schedule schedule = Schedule.swaPaper(100, 0.1, 0.05, 50, 10);
        double[] w = walk(100);
        Averaging swa = Averaging.swa(100, schedule.collections());
        assertEquals(6, swa.collected());
        assertEquals(mean(w, new int[] {49, 59, 69, 79, 89, 99}), replay(swa, w), 1e-14);
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 13, 1000})
    void swaTailAndLawaEqualBruteForceMeans(int steps) {
        double[] w = walk(steps);
        int[] every = Averaging.everyStep(steps, 0);
        int[] third = Arrays.stream(every).filter(s -> s % 3 == 0).toArray();
        assertEquals(mean(w, third), replay(Averaging.swa(steps, third), w), 1e-12);
        assertEquals(mean(w, every), replay(Averaging.tail(steps, 0), w), 1e-12);
        int start = steps / 2;
        assertEquals(mean(w, Averaging.everyStep(steps, start)), replay(Averaging.tail(steps, start), w), 1e-12);
        for (int k : new int[] {1, 4, 5000}) {
            int[] last = Arrays.copyOfRange(third, Math.max(0, third.length - k), third.length);
            assertEquals(mean(w, last), replay(Averaging.lawa(steps, k, third), w), 1e-12);
        }
    }

    @Test
    void emaEqualsItsClosedForm() {
        int n = 50;
        double d = 0.9;
        double[] w = walk(n);
        double expected = Math.pow(d, n - 1) * w[0];
        for (int i = 1; i < n; i++) {
            expected += (1 - d) * Math.pow(d, n - 1 - i) * w[i];
        }
        assertEquals(expected, replay(Averaging.ema(n, d, false, Averaging.everyStep(n, 0)), w), 1e-14);
    }

    @Test
    void emaWarmUpStartsAtTwoEleventhsAndReachesTheDecay() {
        Averaging ema = Averaging.ema(300, 0.95, true, Averaging.everyStep(300, 0));
        assertEquals(1, ema.alpha(0));
        assertEquals(1 - 2.0 / 11, ema.alpha(1), 1e-15);
        assertEquals(1 - 3.0 / 12, ema.alpha(2), 1e-15);
        assertEquals(1 - 0.95, ema.alpha(299), 1e-15); // (1 + k) / (10 + k) passes 0.95 at k = 170
        assertEquals(1 - 170.0 / 179, ema.alpha(169), 1e-15);
    }

    @Test
    void betweenCollectionsAlphaIsExactlyZero() {
        assertArrayEquals(new double[] {0, 1, 0, 0.5, 0}, Averaging.swa(5, 1, 3).alpha());
        assertArrayEquals(
                new double[] {0, 1, 0, 0.25, 0},
                Averaging.ema(5, 0.75, false, 1, 3).alpha());
        assertArrayEquals(
                new double[] {0, 0, 0, 1, 0}, Averaging.lawa(5, 1, 1, 3).alpha());
        assertEquals(0, Averaging.none(5).collected());
    }

    @Test
    void theFirstCollectionCopiesBitForBit() {
        double[] w = walk(9);
        for (Averaging one : new Averaging[] {
            Averaging.swa(9, 4), Averaging.tail(9, 8), Averaging.ema(9, 0.9, true, 3), Averaging.lawa(9, 1, 2, 6)
        }) {
            int at = IntStream.range(0, 9)
                    .filter(s -> one.alpha(s) == 1)
                    .findFirst()
                    .orElseThrow();
            assertEquals(w[at], replay(one, w));
        }
        double[] alpha = Averaging.ema(9, 0, false, 1, 3, 5).alpha();
        assertEquals(3, Arrays.stream(alpha).sum()); // decay 0 keeps no past at all
    }

    @Test
    void fp32TablesAndAveragesStayNearTheFloat64Mean() {
        int n = 10_000;
        Averaging swa = Averaging.tail(n, 0);
        double[] w = walk(n);
        float average = 0;
        for (int s = 0; s < n; s++) {
            average += (float) swa.alpha(s) * ((float) (0.05 * w[s]) - average);
        }
        assertEquals(0.05 * mean(w, Averaging.everyStep(n, 0)), average, 1e-6);
    }

    @Test
    void wrongArgumentsAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> Averaging.none(0));
        assertThrows(IllegalArgumentException.class, () -> Averaging.swa(3, 1, 1));
        assertThrows(IllegalArgumentException.class, () -> Averaging.swa(3, 3));
        assertThrows(IllegalArgumentException.class, () -> Averaging.ema(3, 1, false, 0));
        assertThrows(IllegalArgumentException.class, () -> Averaging.ema(3, Double.NaN, false, 0));
        assertThrows(IllegalArgumentException.class, () -> Averaging.lawa(3, 0, 1));
        assertThrows(IllegalArgumentException.class, () -> Averaging.tail(3, 3));
    }
}
