package io.basin.average;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Draws;
import io.basin.device.Sgd;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Methods that train on from their average, on foreign arrays, against each paper's algorithm in double. */
class PullTablesTest {
    private static final int STEPS = 23;
    private static final int N = 50;
    private static final double LR = 0.1;

    /** (weights, average) of element i after all steps of ours; gradients are those of a quadratic with noise. */
    private static float[][] ours(PullTables tables, float[] start) {
        float[] w = start.clone();
        float[] a = start.clone();
        float[] g = new float[N];
        double[] lr = new double[STEPS];
        Arrays.fill(lr, LR);
        try (FusedStep step = FusedStep.host()
                .add("w", w)
                .add("g", g)
                .add("m", new float[N])
                .add("a", a)
                .lr(lr)
                .tables(tables)
                .build(new Sgd(0, 0, false))) {
            for (int t = 0; t < STEPS; t++) {
                for (int i = 0; i < N; i++) g[i] = (float) gradient(w[i], t, i);
                step.run();
            }
        }
        return new float[][] {w, a};
    }

    private static double gradient(double w, int t, int i) {
        return w - 1 + Draws.normal(t + 1, N)[i];
    }

    private static double stepped(double w, int t, int i) {
        return w - LR * gradient(w, t, i);
    }

    private interface Algorithm {
        /** The weight and its average after all steps. */
        double[] of(double start, int i);
    }

    private static void agree(PullTables tables, Algorithm paper) {
        float[] start = Draws.normal(99, N);
        float[][] ours = ours(tables, start);
        for (int i = 0; i < N; i++) {
            double[] expected = paper.of(start[i], i);
            assertEquals(expected[0], ours[0][i], 1e-5, "weight " + i);
            assertEquals(expected[1], ours[1][i], 1e-5, "average " + i);
        }
    }

    @Test
    void switchEmaGivesTheAverageBackAtTheEndOfEachEpoch() {
        agree(PullTables.switchEma(STEPS, 0.9, 7), (start, i) -> {
            double w = start;
            double ema = 0;
            for (int t = 0; t < STEPS; t++) {
                w = stepped(w, t, i);
                ema = t == 0 ? w : 0.9 * ema + 0.1 * w;
                if (t % 7 == 6) w = ema;
            }
            return new double[] {w, ema};
        });
    }

    @Test
    void periodicSwaBeginsEachPeriodWithTheMeanOfTheLast() {
        agree(PullTables.pswa(STEPS, 5), (start, i) -> {
            double w = start;
            double mean = 0;
            List<Double> period = new ArrayList<>();
            for (int t = 0; t < STEPS; t++) {
                w = stepped(w, t, i);
                period.add(w);
                mean = period.stream().mapToDouble(x -> x).average().orElseThrow();
                if (period.size() < 5) continue;
                w = mean;
                period.clear();
            }
            return new double[] {w, mean};
        });
    }

    @Test
    void lookaheadMovesSlowWeightsHalfWayEveryFifthStep() {
        agree(PullTables.lookahead(STEPS, 5, 0.5), (start, i) -> {
            double slow = start;
            double fast = start;
            for (int t = 0; t < STEPS; t++) {
                fast = stepped(fast, t, i);
                if (t % 5 != 4) continue;
                slow += 0.5 * (fast - slow);
                fast = slow;
            }
            return new double[] {fast, slow};
        });
    }

    @Test
    void whatIsNoMethodIsRefusedByName() {
        String said = assertThrows(IllegalArgumentException.class, () -> PullTables.pswa(10, 0))
                .getMessage();
        assertTrue(said.contains("`every`"), said);
        assertThrows(IllegalArgumentException.class, () -> PullTables.switchEma(10, 1, 3));
        assertThrows(IllegalArgumentException.class, () -> PullTables.lookahead(0, 5, 0.5));
    }
}
