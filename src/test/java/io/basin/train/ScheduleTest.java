package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Supplier;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ScheduleTest {
    private static final int B = 7; // steps per epoch

    /** {@code schedule(epoch)} of timgaripov/swa, per epoch as there. */
    private static double published(int epoch, double budget, double lr, double ratio) {
        double t = epoch / budget;
        double factor = ratio;
        if (t <= 0.5) {
            factor = 1.0;
        } else if (t <= 0.9) {
            factor = 1.0 - (1.0 - ratio) * (t - 0.5) / 0.4;
        }
        return lr * factor;
    }

    @Test
    void sgdEqualsThePublishedRateAtEveryEpochsFirstStep() {
        Schedule sgd = Schedule.sgdPaper(200 * B, 0.05);
        for (int epoch = 0; epoch < 200; epoch++) {
            assertEquals(published(epoch, 200, 0.05, 0.01), sgd.lr(epoch * B), 1e-15);
        }
        assertEquals(200 * B, sgd.steps());
        assertEquals(0, sgd.collections().length);
        assertEquals(0, sgd.mostCollected(B));
        // At steps B - 1, B + 2, B + 5, and so on.
        assertEquals(3, Schedule.swaPaper(10 * B, 0.05, 0.01, B, 3).mostCollected(B));
        // Half way down the slope, u = 0.7: the mean of both ends.
        assertEquals((0.05 + 0.0005) / 2, sgd.lr(140 * B), 1e-15);
        assertEquals(0.05, sgd.lr(100 * B));
        assertTrue(sgd.lr(100 * B + 1) < 0.05);
    }

    @Test
    void swaEqualsThePublishedRateAndCollectsWhereThePublishedCodeDoes() {
        int epochs = 200;
        int swaStart = 161;
        for (int every : new int[] {1, 3}) {
            Schedule swa = Schedule.swaPaper(epochs * B, 0.05, 0.01, swaStart * B, every * B);
            List<Integer> collected = new ArrayList<>();
            for (int epoch = 0; epoch < epochs; epoch++) {
                assertEquals(published(epoch, swaStart, 0.05, 0.2), swa.lr(epoch * B), 1e-15);
                if (epoch + 1 >= swaStart && (epoch + 1 - swaStart) % every == 0) {
                    collected.add(epoch * B + B - 1);
                }
            }
            assertEquals(collected, Arrays.stream(swa.collections()).boxed().toList());
        }
        assertEquals(0.01, Schedule.swaPaper(100, 0.05, 0.01, 50, 1).lr(99));
    }

    @Test
    void cyclicSwaFallsFromNearA1ToA2AndIsCollectedAtA2() {
        Schedule swa = Schedule.swaCyclic(26, 0.1, 0.05, 0.01, 10, 4);
        for (int s = 0; s < 10; s++) {
            assertEquals(published(s, 10, 0.1, 0.5), swa.lr(s), 1e-15);
        }
        for (int cycle = 0; cycle < 4; cycle++) {
            assertArrayEquals(
                    new double[] {0.04, 0.03, 0.02, 0.01},
                    Arrays.copyOfRange(swa.lr(), 10 + 4 * cycle, 14 + 4 * cycle),
                    1e-15);
        }
        assertArrayEquals(new int[] {13, 17, 21, 25}, swa.collections());
    }

    @Test
    void fgeFollowsThePublishedTriangleAndIsCollectedAtTheEndOfItsDescent() {
        int start = 160 * B;
        int cycle = 2 * B;
        Schedule fge = Schedule.fge(200 * B, 0.05, 200 * B, start, 1e-2, 5e-4, cycle);
        for (int s = 0; s < start; s++) {
            assertEquals(Schedule.sgdPaper(200 * B, 0.05).lr(s), fge.lr(s));
        }
        for (int epoch = 0; epoch < 40; epoch++) {
            for (int iter = 0; iter < B; iter++) {
                double t = (epoch % 2 + (double) iter / B) / 2;
                double expected = t < 0.5 ? 1e-2 * (1 - 2 * t) + 5e-4 * 2 * t : 1e-2 * (2 * t - 1) + 5e-4 * (2 - 2 * t);
                assertEquals(expected, fge.lr(start + epoch * B + iter), 1e-15);
            }
        }
        int[] beforeMinima = IntStream.range(start, 200 * B)
                .filter(s -> s + 1 < 200 * B && fge.lr(s + 1) == 5e-4)
                .toArray();
        assertEquals(20, beforeMinima.length);
        assertArrayEquals(beforeMinima, fge.collections());
    }

    @Test
    void fgeMayEndInsideItsLastCycleAndWithAModelAfterHalfOfIt() {
        assertArrayEquals(
                new int[] {11, 15}, Schedule.fge(17, 0.1, 20, 10, 0.05, 0.01, 4).collections());
        assertArrayEquals(
                new int[] {11, 15}, Schedule.fge(16, 0.1, 20, 10, 0.05, 0.01, 4).collections());
        assertArrayEquals(
                new int[] {11}, Schedule.fge(15, 0.1, 20, 10, 0.05, 0.01, 4).collections());
    }

    @Test
    void snapshotEqualsThePaperWhereCyclesDivideTheSteps() {
        int steps = 40;
        Schedule snapshot = Schedule.snapshotCosine(steps, 0.2, 5);
        int c = (int) Math.ceil(steps / 5.0);
        for (int s = 0; s < steps; s++) {
            assertEquals(0.1 * (Math.cos(Math.PI * (s % c) / c) + 1), snapshot.lr(s), 1e-15);
        }
        assertArrayEquals(new int[] {7, 15, 23, 31, 39}, snapshot.collections());
    }

    @ParameterizedTest
    @CsvSource({"17,5", "44,5", "1001,7", "5,5", "9,1", "23,22"})
    void snapshotSpreadsTheRemainderAndEndsEveryCycleLow(int steps, int cycles) {
        Schedule snapshot = Schedule.snapshotCosine(steps, 0.2, cycles);
        int[] ends = snapshot.collections();
        assertEquals(cycles, ends.length);
        assertEquals(steps - 1, ends[cycles - 1]);
        int begin = 0;
        for (int end : ends) {
            int length = end + 1 - begin;
            assertTrue(length == steps / cycles || length == (steps + cycles - 1) / cycles, "length " + length);
            assertEquals(0.2, snapshot.lr(begin));
            assertEquals(0.1 * (1 + Math.cos(Math.PI * (length - 1) / length)), snapshot.lr(end), 1e-15);
            begin = end + 1;
        }
    }

    @Test
    void constantStepDecayAndCosineFollowTheirFormulas() {
        assertArrayEquals(
                new double[] {0.1, 0.1, 0.1}, Schedule.constant(3, 0.1).lr());
        assertArrayEquals(
                new double[] {1, 1, 0.1, 0.1, 0.01, 0.01},
                Schedule.stepDecay(6, 1, 0.1, 2, 4).lr(),
                1e-15);
        Schedule cosine = Schedule.cosine(4, 2);
        double root = Math.sqrt(0.5);
        assertArrayEquals(new double[] {2, 1 + root, 1, 1 - root}, cosine.lr(), 1e-15);
        assertEquals(0, cosine.collections().length);
    }

    @Test
    void oneCycleStartsAtATwentyFifthPeaksOnceAndEndsTenThousandTimesLower() {
        Schedule cycle = Schedule.oneCycle(100, 0.5, 0.3);
        assertEquals(0.02, cycle.lr(0), 1e-15);
        assertEquals(0.5, cycle.lr(29), 1e-15);
        assertEquals(0.02 / 1e4, cycle.lr(99), 1e-15);
        assertEquals(0.5 * (0.5 + 2e-6), cycle.lr(64), 1e-15); // half way down: the mean of both ends
        for (int s = 1; s < 100; s++) {
            assertEquals(s <= 29, cycle.lr(s) > cycle.lr(s - 1));
        }
    }

    @Test
    void warmUpRisesToTheFirstRateAndMovesTheCollections() {
        Schedule plain = Schedule.snapshotCosine(10, 0.2, 2);
        Schedule warm = plain.warmUp(4);
        assertArrayEquals(new double[] {0.05, 0.1, 0.15, 0.2}, Arrays.copyOf(warm.lr(), 4), 1e-15);
        assertArrayEquals(plain.lr(), Arrays.copyOfRange(warm.lr(), 4, 14));
        assertArrayEquals(new int[] {8, 13}, warm.collections());
        assertEquals(plain, plain.warmUp(0));
    }

    @Test
    void tablesCannotBeChangedFromOutside() {
        int[] at = {1};
        Schedule schedule = Schedule.constant(3, 1).collecting(at);
        at[0] = 2;
        schedule.lr()[0] = 9;
        schedule.collections()[0] = 9;
        assertEquals(1, schedule.lr(0));
        assertArrayEquals(new int[] {1}, schedule.collections());
    }

    @Test
    void anErrorNamesTheFlagAndTheValue() {
        refused("--lr must be positive and finite, got NaN", () -> Schedule.constant(1, Double.NaN));
        refused("--lr must be positive and finite, got 0.0", () -> Schedule.sgdPaper(1, 0));
        refused("--lr must be positive and finite, got Infinity", () -> Schedule.cosine(1, Double.POSITIVE_INFINITY));
        refused("--lr must be positive and finite, got 1.0E39, in float32 Inf", () -> Schedule.cosine(1, 1e39));
        refused("--lr must be positive and finite, got 1.0E-50, in float32 0.0", () -> Schedule.cosine(1, 1e-50));
        refused("--epochs must give at least one step, got 0", () -> Schedule.sgdPaper(0, 1));
        refused("--gamma must be", () -> Schedule.stepDecay(4, 1, -1, 2));
        refused("--milestones must rise", () -> Schedule.stepDecay(4, 1, 0.1, 2, 2));
        refused("--milestones must rise", () -> Schedule.stepDecay(4, 1, 0.1, 4));
        refused("--swa-lr must be", () -> Schedule.swaPaper(4, 1, -1, 2, 1));
        refused("--swa-start must lie between 1 and 4 steps, got 5", () -> Schedule.swaPaper(4, 1, 1, 5, 1));
        refused("--swa-cycle must lie", () -> Schedule.swaPaper(4, 1, 1, 2, 0));
        refused("--cycle must divide the 16 steps", () -> Schedule.swaCyclic(20, 1, 0.5, 0.1, 4, 5));
        refused("--swa-low must not exceed --swa-lr (0.1), got 0.5", () -> Schedule.swaCyclic(20, 1, 0.1, 0.5, 4, 4));
        refused("--swa-low must be", () -> Schedule.swaCyclic(20, 1, 0.1, 0, 4, 4));
        refused("--lr-2 must not exceed --lr-1 (0.1), got 0.5", () -> Schedule.fge(20, 1, 20, 16, 0.1, 0.5, 4));
        refused("--cycle must be at least 4 steps, got 3", () -> Schedule.fge(20, 1, 20, 16, 0.5, 0.1, 3));
        refused("--cycle must be at least 4 steps, got 0", () -> Schedule.fge(20, 1, 20, 16, 0.5, 0.1, 0));
        refused("--cycle must leave room", () -> Schedule.fge(20, 1, 20, 16, 0.5, 0.1, 10));
        refused("--fge-start must lie", () -> Schedule.fge(20, 1, 20, 20, 0.5, 0.1, 2));
        refused("--cycles must lie between 1 and 4 steps, got 5", () -> Schedule.snapshotCosine(4, 1, 5));
        refused("--warm-fraction must", () -> Schedule.oneCycle(10, 1, 0.1));
        refused("--warm-fraction must", () -> Schedule.oneCycle(10, 1, Double.NaN));
        refused("--warmup must", () -> Schedule.constant(1, 1).warmUp(-1));
        refused("collections must rise", () -> Schedule.constant(3, 1).collecting(1, 1));
    }

    private static void refused(String says, Supplier<Schedule> made) {
        Executable call = made::get;
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(says), message);
    }
}
