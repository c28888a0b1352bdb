package io.basin.average;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Draws;
import io.basin.methods.PostHocEma;
import io.basin.random.Philox;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Averages chosen afterwards against averages that were really run, in double. */
class PostHocEmaTest {
    private static final int STEPS = 800;
    private static final int WEIGHTS = 20;
    private static final int EVERY = 10;
    private static final double[] GAMMAS = {6.94, 16.97};

    /** (step, weight): as noisy as training, on the way from where it begins. */
    private static float[][] run() {
        float[][] run = new float[STEPS][];
        for (int t = 0; t < STEPS; t++) {
            run[t] = Draws.normal(t + 1, WEIGHTS);
            for (int i = 0; i < WEIGHTS; i++) {
                run[t][i] = (float) (1 + i % 3 + 2 * Math.exp(-t / 150.0) + 0.3 * run[t][i]);
            }
        }
        return run;
    }

    /** The definition, step by step. */
    private static double[] really(float[][] run, double gamma, int step) {
        double[] a = new double[WEIGHTS];
        for (int t = 1; t <= step; t++) {
            double b = Math.pow(1 - 1.0 / t, gamma + 1);
            for (int i = 0; i < WEIGHTS; i++) a[i] = b * a[i] + (1 - b) * run[t - 1][i];
        }
        return a;
    }

    /** What is kept of a run of ours, and the averages themselves. */
    private static List<float[]> keep(float[][] run, List<PostHocEma.Kept> kept) {
        List<float[]> averages = new ArrayList<>();
        for (double gamma : GAMMAS) {
            float[] w = new float[WEIGHTS];
            try (Averager power = Averager.host().add("w", w).power(gamma)) {
                for (int t = 1; t <= STEPS; t++) {
                    System.arraycopy(run[t - 1], 0, w, 0, WEIGHTS);
                    power.step();
                    if (t % EVERY != 0) continue;
                    float[] copy = new float[WEIGHTS];
                    power.copyTo("w", copy);
                    kept.add(new PostHocEma.Kept(gamma, t));
                    averages.add(copy);
                }
            }
        }
        return averages;
    }

    @Test
    void aThousandRandomProfilesAreWithinAThousandthOfTheirAverages() {
        float[][] run = run();
        List<PostHocEma.Kept> kept = new ArrayList<>();
        List<float[]> averages = keep(run, kept);
        PostHocEma postHoc = new PostHocEma(kept);
        for (int k = 0; k < 1000; k++) {
            double gamma = 5 + 15 * uniform(k, 0);
            int step = EVERY * (int) (STEPS / EVERY * (0.5 + 0.5 * uniform(k, 1)));
            PostHocEma.Fit fit = postHoc.fit(gamma, step);
            requireNear(run, fit, fit.of(averages), really(run, gamma, step), "gamma " + gamma + " step " + step);
        }
    }

    private static void requireNear(float[][] run, PostHocEma.Fit fit, float[] w, double[] expected, String what) {
        double apart = 0;
        double size = 0;
        for (int i = 0; i < WEIGHTS; i++) {
            apart += Math.pow(w[i] - expected[i], 2);
            size += expected[i] * expected[i];
            double largest = 0;
            for (float[] then : run) largest = Math.max(largest, Math.abs(then[i]));
            double share = Math.abs(w[i] - expected[i]) / largest;
            assertTrue(share <= fit.bound() + 1e-6, what + " bound " + fit.bound() + " share " + share);
        }
        assertTrue(Math.sqrt(apart / size) <= 1e-3, what + " apart " + Math.sqrt(apart / size));
        assertTrue(fit.bound() < 2e-3, what + " bound " + fit.bound());
    }

    private static double uniform(int k, int which) {
        int[] words = new int[4];
        Philox.block(k, which, 0, 0, 7, 0, words);
        return (words[0] >>> 8) * 0x1p-24;
    }

    @Test
    void anAverageThatWasKeptIsFoundAgainAndOneFarOffHasALargeBound() {
        List<PostHocEma.Kept> kept = List.of(new PostHocEma.Kept(6.94, 100), new PostHocEma.Kept(16.97, 100));
        PostHocEma postHoc = new PostHocEma(kept);
        PostHocEma.Fit same = postHoc.fit(16.97, 100);
        assertEquals(0, same.shares()[0], 1e-9);
        assertEquals(1, same.shares()[1], 1e-9);
        assertTrue(same.bound() < 1e-9);
        assertTrue(postHoc.fit(10, 20).bound() > 0.5);
    }

    /** Of runs with more steps than the fit has rows, the bound still counts every step. */
    @Test
    void longRunsAreFittedByGroupsOfSteps() {
        List<PostHocEma.Kept> kept = new ArrayList<>();
        for (double gamma : GAMMAS) for (int t = 1; t <= 40; t++) kept.add(new PostHocEma.Kept(gamma, 250 * t));
        assertTrue(new PostHocEma(kept).fit(10, 10_000).bound() < 4e-3);
    }

    /** The paper's section 3.1: sigma_rel 0.05 and 0.10. */
    @Test
    void widthsAreThePapers() {
        assertEquals(16.97, PostHocEma.gamma(0.05), 0.005);
        assertEquals(6.94, PostHocEma.gamma(0.10), 0.005);
        assertThrows(IllegalArgumentException.class, () -> PostHocEma.gamma(0.3));
    }

    @Test
    void whatDoesNotFitIsRefused() {
        PostHocEma postHoc = new PostHocEma(List.of(new PostHocEma.Kept(5, 10)));
        assertThrows(IllegalArgumentException.class, () -> postHoc.fit(5, 11));
        assertThrows(IllegalArgumentException.class, () -> new PostHocEma(List.of()));
        assertThrows(IllegalArgumentException.class, () -> new PostHocEma.Kept(0, 10));
        assertThrows(IllegalArgumentException.class, () -> postHoc.fit(5, 10).of(List.of()));
    }
}
