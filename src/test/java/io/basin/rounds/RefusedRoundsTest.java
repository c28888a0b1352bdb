package io.basin.rounds;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.methods.Budget;
import io.basin.rounds.RoundPlan.Lane;
import io.basin.rounds.RoundPlan.Outer;
import io.basin.train.DivergedException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

/** What would compute other bits, or weights that are none, without a word. */
class RefusedRoundsTest {
    @TempDir
    Path folder;

    private static void refused(String message, Executable misuse) {
        String said = assertThrows(IllegalArgumentException.class, misuse).getMessage();
        assertTrue(said.contains(message), said);
    }

    /** Whose code may round otherwise: shares are compared only where two workers happen to compute the same one. */
    @Test
    void aWorkerOfAnotherVersionIsRefused() {
        RoundFolder job = new RoundFolder(folder);
        job.drive(new RoundFolder.Job("job", "data", "cpu", false, "0.2.0"));
        job.drive(new RoundFolder.Job("job", "data", "cpu", false, "0.2.0"));
        refused(
                "is of a job of Basin 0.2.0, and this is Basin 0.1.0",
                () -> job.drive(new RoundFolder.Job("job", "data", "cpu", false, "0.1.0")));
    }

    @Test
    void anOuterStepThatMakesNoNumbersIsToldFromAWorkerThatDoes() {
        ModelState begin = state(1, 2);
        List<ModelState> shares = List.of(state(1e10f, 2));
        String said = assertThrows(
                        DivergedException.class, () -> OuterStep.combine(new Outer(1e30, 0.9), begin, null, shares))
                .getMessage();
        assertTrue(said.contains("tensor 'w' no longer finite: choose a smaller `outerLr`"), said);
    }

    private static ModelState state(float... values) {
        ModelState state = new ModelState();
        state.put("w", new ModelState.Tensor(List.of((long) values.length), values));
        return state;
    }

    @Test
    void plansOfNoNumbersAndFilesElsewhereAreRefused() {
        RoundMethods methods = new RoundMethods(1, 3, new Budget(3, 0.05), 15, 16);
        for (double start : new double[] {Double.NaN, -1, 2}) {
            refused("`start` is a fraction of the budget", () -> methods.swap(start, 0.1, 0.01));
            refused("`start` is a fraction of the budget", () -> methods.parallelSwa(start, 0.1));
        }
        refused("`lr` must not be negative", () -> new Lane(1, 16, new double[] {Double.NaN}, new double[1]));
        refused("that of step 1 is 1.0E39", () -> new Lane(1, 16, new double[] {0.1, 1e39}, new double[2]));
        refused("`alpha` must lie in [0, 1]", () -> new Lane(1, 16, new double[1], new double[] {7}));
        refused("`name` of a plan becomes a file's", () -> new RoundPlan("../evil", 1, List.of(), List.of()));
    }

    /** 45 steps: each worker needs one, where large batches come first two. */
    @Test
    void moreWorkersThanTheBudgetCarriesAreToldHowManyItDoes() {
        RoundMethods methods = new RoundMethods(1, 46, new Budget(3, 0.05), 15, 16);
        String all = "`workers` 46 share 45 steps of the budget, which carry at most ";
        refused(all + "45", () -> methods.localSgd(5));
        refused(all + "45", () -> methods.diLoCo(5, 0.7, 0.9));
        refused(all + "45", methods::independent);
        refused(all + "22", () -> methods.postLocalSgd(5, 0.5));
        refused(all + "22", () -> methods.swap(0.5, 0.1, 0.01));
        refused("`workers` 46 share 22 steps", () -> methods.parallelSwa(0.5, 0.1));
        assertEquals(
                45,
                new RoundMethods(1, 45, new Budget(3, 0.05), 15, 16).localSgd(5).workers());
        assertEquals(
                22,
                new RoundMethods(1, 22, new Budget(3, 0.05), 15, 16)
                        .swap(0.5, 0.1, 0.01)
                        .workers());
    }
}
