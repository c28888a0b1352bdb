package io.basin.methods;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Which models each method takes, over many budgets, against the published loops written down plainly: by epoch and iteration,
 * as their authors' programs go.
 */
public class CollectionRulesTest {
    private static final int[] PER_EPOCH = {1, 3, 10, 23, 391};
    private static final double[] EPOCHS = {0.5, 1, 2, 2.3, 7, 10};

    /** Settings of which this test varies what decides collections. */
    public static Asked settings(
            double epochs, double warmUp, double start, double swaCycle, double fgeCycle, int lawa, int snapshots) {
        Swa swa = new Swa(start, 0.01, swaCycle);
        return new Asked(
                new Budget(epochs, 0.05, warmUp),
                new Methods(List.of(
                        new Baseline(),
                        new Ema(0.99),
                        swa,
                        new SwaCyclic(start, 0.01, 0.001, swaCycle),
                        new Lawa(lawa),
                        new Tail(start, 0.01),
                        new Swag(swa, 10, 20, 1),
                        new Swap(start, 0.01, 0.001, 3),
                        new Snapshot(snapshots, 0.1),
                        new Fge(start, 0.02, 0.0005, fgeCycle),
                        new Independent(2),
                        new SwitchEma(0.99),
                        new Pswa(epochs / 4),
                        new Lookahead(5, 0.5),
                        new Wsm(start, 3),
                        new PowerEma(4))));
    }

    /** The loop of timgaripov/dnn-mode-connectivity's fge.py: it predicts after the epoch in the middle of each cycle. */
    @ParameterizedTest
    @CsvSource({"150,120,4,8", "150,120,2,15", "40,32,2,4", "22,16,4,2", "14,10,4,1", "16,10,4,2", "200,161,6,7"})
    void fgeTakesTheModelsOfThePublishedLoopAtItsRates(int epochs, int first, int cycle, int count) {
        for (int perEpoch : new int[] {2, 7, 391}) {
            double start = (double) first / epochs;
            Schedule fge = settings(epochs, 0, start, 1, cycle, 3, 3)
                    .plan("fge", perEpoch)
                    .schedule();
            List<Integer> published = new ArrayList<>();
            for (int epoch = 0; epoch < epochs - first; epoch++) {
                for (int iter = 0; iter < perEpoch; iter++) {
                    double t = (epoch % cycle + (double) iter / perEpoch) / cycle;
                    double rate =
                            t < 0.5 ? 0.02 * (1 - 2 * t) + 0.0005 * 2 * t : 0.0005 * (2 - 2 * t) + 0.02 * (2 * t - 1);
                    assertEquals(rate, fge.lr((first + epoch) * perEpoch + iter), 1e-12);
                }
                if (epoch % cycle + 1 == cycle / 2) published.add((first + epoch + 1) * perEpoch - 1);
            }
            assertEquals(count, published.size());
            assertEquals(published, boxed(fge.collections()));
        }
    }

    /** The loop of timgaripov/swa's train.py. */
    @ParameterizedTest
    @CsvSource({"200,161,1", "150,126,3", "12,4,2", "10,1,9"})
    void swaAveragesTheModelsOfThePublishedLoop(int epochs, int first, int cycle) {
        for (int perEpoch : PER_EPOCH) {
            double start = (double) first / epochs;
            Method swa = settings(epochs, 0, start, cycle, 1, 3, 3).plan("swa", perEpoch);
            double average = 0;
            int n = 0;
            for (int epoch = 0; epoch < epochs; epoch++) {
                if (epoch + 1 < first || (epoch + 1 - first) % cycle != 0) continue;
                double w = (epoch + 1) * perEpoch - 1;
                average = (average * n + w) / (n + 1);
                n++;
            }
            assertEquals(n, swa.schedule().collections().length);
            assertEquals(average, averageOfSteps(swa), 1e-9 * average + 1e-12);
        }
    }

    /** The model after update s stands for its number s, so that an average tells which models are in it. */
    private static double averageOfSteps(Method recipe) {
        double average = 0;
        for (int s = 0; s < recipe.averaging().steps(); s++)
            average += recipe.averaging().alpha(s) * (s - average);
        return average;
    }

    @Test
    void lawaAveragesTheNewestEpochsAndTheRunsLastWeights() {
        for (int perEpoch : PER_EPOCH) {
            for (double epochs : EPOCHS) {
                for (int k : new int[] {1, 3, 50}) {
                    int steps = (int) Math.round(epochs * perEpoch);
                    List<Integer> kept = new ArrayList<>();
                    for (int s = 0; s < steps; s++) {
                        if ((s + 1) % perEpoch == 0 || s + 1 == steps) kept.add(s);
                        if (kept.size() > k) kept.remove(0);
                    }
                    Method lawa = settings(epochs, 0, 0.5, epochs / 4, epochs / 4, k, 1)
                            .plan("lawa", perEpoch);
                    String where = perEpoch + " steps, " + epochs + " epochs, " + k;
                    double mean = kept.stream().mapToInt(i -> i).average().orElseThrow();
                    assertEquals(kept.size(), lawa.averaging().collected(), where);
                    assertEquals(mean, averageOfSteps(lawa), 1e-9 * steps, where);
                }
            }
        }
    }

    /** Each method at its usual settings, whatever the budget: what is made last is the run's end. */
    @Test
    void everyMethodsLastModelIsItsRunsLastWeightsOrThePlanIsRefused() {
        int planned = 0;
        for (int perEpoch : PER_EPOCH) {
            for (double epochs : EPOCHS) {
                for (double warmUp : new double[] {0, epochs / 5}) {
                    for (String method : Methods.NAMES) {
                        planned += endsWithItsLastModel(method, epochs, warmUp, perEpoch) ? 1 : 0;
                    }
                }
            }
        }
        assertTrue(planned > 450, "only " + planned + " plans were made");
    }

    private static boolean endsWithItsLastModel(String method, double epochs, double warmUp, int perEpoch) {
        String where = method + ", " + epochs + " epochs of " + perEpoch + ", warm-up " + warmUp;
        double left = 0.25 * (epochs - warmUp);
        Method recipe;
        try {
            recipe = settings(epochs, warmUp, 0.75, left / 10, left / 3.5, 3, 3).plan(method, perEpoch);
        } catch (IllegalArgumentException e) {
            assertTrue(e.getMessage().startsWith("`"), where + ": " + e.getMessage());
            return false;
        }
        int end = recipe.schedule().steps() - 1;
        if (recipe.product() == Method.Product.AVERAGE)
            assertTrue(recipe.averaging().alpha(end) > 0, where);
        if (recipe.product().fromMembers()) {
            int[] at = recipe.schedule().collections();
            assertEquals(end, at[at.length - 1], where);
        }
        boolean roomy = left * perEpoch >= 14;
        if (method.equals("fge") && roomy) assertEquals(4, recipe.schedule().collections().length, where);
        if (method.equals("swa-cyclic") && roomy)
            assertEquals(10, recipe.averaging().collected(), where);
        if (method.equals("snapshot")) assertEquals(3, recipe.schedule().collections().length, where);
        return true;
    }

    /** Wherever cycles do not fit into whole steps, their models lie as evenly as whole steps allow. */
    @ParameterizedTest
    @CsvSource({"swa", "swa-cyclic", "fge", "snapshot"})
    void modelsLieEvenlyToAStep(String method) {
        for (double epochs : new double[] {1, 2.3, 7}) {
            double left = epochs / 4;
            Asked s = settings(epochs, 0, 0.75, left / 10, left / 3.5, 3, 3);
            int[] at = s.plan(method, 23).schedule().collections();
            int least = Integer.MAX_VALUE;
            int most = 0;
            for (int i = 1; i < at.length; i++) {
                least = Math.min(least, at[i] - at[i - 1]);
                most = Math.max(most, at[i] - at[i - 1]);
            }
            // Between FGE's models lie two halves, each of which is rounded.
            assertTrue(most - least <= (method.equals("fge") ? 2 : 1), method + ": " + least + " to " + most);
        }
    }

    /** A cosine whose period counts epochs and which steps once an iteration, or the reverse, would not be low there. */
    @Test
    void aSnapshotsCosineFallsWithEveryStepAndIsLowWhereItsModelIsTaken() {
        Schedule snapshot =
                settings(6, 0, 0.5, 1, 1, 3, 3).plan("snapshot", 100).schedule();
        assertArrayEquals(new int[] {199, 399, 599}, snapshot.collections());
        for (int s = 0; s < 600; s++) {
            assertEquals(0.05 * (Math.cos(Math.PI * (s % 200) / 200) + 1), snapshot.lr(s), 1e-15);
        }
    }

    @Test
    void aPlanSaysWhichStepsAreTrainedForNothingAndWhichModelsItCannotMake() {
        assertEquals(List.of(), remarks("fge", settings(40, 0, 0.8, 0.2, 8 / 3.5, 3, 3), 40));
        String brief =
                remarks("fge", settings(10, 0, 0.8, 0.2, 2 / 3.5, 3, 3), 40).get(0);
        assertTrue(brief.startsWith("fge: its cycles are 0.575 epochs, the paper's 2 to 4"), brief);
        // One model alone: of FGE at half of a cycle of one epoch, of snapshots at the end of all six.
        List<String> single = remarks("fge", settings(5, 0, 0.8, 0.2, 1, 3, 3), 40);
        assertTrue(
                single.stream().anyMatch(r -> r.startsWith("fge: its cycles are 1.00 epochs, the paper's 2 to 4")),
                single.toString());
        assertEquals(
                "snapshot: its cycles are 6.00 epochs, the paper's 20 to 40: more `epochs` or fewer `snapshot.cycles` would"
                        + " show it at its best",
                remarks("snapshot", settings(6, 0, 0.5, 1, 1, 3, 1), 100).get(0));
        String idle = remarks("fge", settings(10, 0, 0.8, 0.2, 1, 3, 3), 40).get(0);
        assertTrue(idle.startsWith("fge: the last 20 steps, 0.500 epochs, are trained after its last model"), idle);
        String fewer =
                remarks("swa", settings(0.5, 0, 0.75, 0.0125, 1, 3, 3), 23).get(0);
        assertTrue(fewer.startsWith("swa: 4 models instead of 11"), fewer);
        String odd =
                remarks("independent", settings(1, 0, 0.75, 1, 1, 3, 3), 23).get(0);
        assertTrue(odd.contains("1 step of the budget cannot be shared by `independent.runs` 2"), odd);
        String swap = remarks("swap", settings(1, 0, 0.75, 1, 1, 3, 3), 40).get(0);
        assertTrue(swap.contains("not the paper's SWAP"), swap);
    }

    private static List<String> remarks(String method, Asked s, int perEpoch) {
        return Remarks.of(s.plan(method, perEpoch));
    }

    private static List<Integer> boxed(int[] steps) {
        List<Integer> all = new ArrayList<>();
        for (int s : steps) all.add(s);
        return all;
    }
}
