package io.basin.methods;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Rates of conventional training against a second implementation, written down from the sources' formulas alone. */
class AnnealingTest {
    /** The rate at step s of T, as a share of the highest. */
    private static double factor(Annealing how, int s, int T) {
        double u = (double) s / T;
        return switch (how) {
            case SWA_PAPER -> u <= 0.5 ? 1 : u <= 0.9 ? 1 - 0.99 * (u - 0.5) / 0.4 : 0.01;
            case COSINE -> (1 + Math.cos(Math.PI * u)) / 2;
            case STEP -> 2 * s < T - 1 + (T + 1) % 2 ? 1 : s < Math.floor(0.75 * T) ? 0.1 : 0.01;
            case ONE_CYCLE -> {
                double peak = 0.3 * T - 1;
                double low = 1.0 / 25;
                double t = s <= peak ? s / peak : (s - peak) / (T - 1 - peak);
                double from = s <= peak ? low : 1;
                double to = s <= peak ? 1 : low / 1e4;
                yield to + (from - to) * Math.pow(Math.cos(Math.PI * t / 2), 2);
            }
            case LINEAR -> 1 - u;
            case CONSTANT -> 1;
            case WSD -> {
                double decay = T - Math.floor(0.8 * T);
                yield Math.min(1, (T - s) / decay);
            }
        };
    }

    @ParameterizedTest
    @EnumSource
    void everyRateIsThatOfItsFormula(Annealing how) {
        for (int steps : new int[] {10, 97, 1000}) {
            Schedule made = how.over(steps, 0.3);
            assertEquals(steps, made.steps());
            assertEquals(0, made.collections().length);
            for (int s = 0; s < steps; s++) {
                assertEquals(0.3 * factor(how, s, steps), made.lr(s), 1e-14, how + " step " + s + " of " + steps);
            }
        }
    }

    @Test
    void theUsualOneIsThePapers() {
        assertArrayEquals(
                Schedule.sgdPaper(700, 0.05).lr(),
                new Baseline().plan(new Budget(100, 0.05), 7).schedule().lr());
    }

    /** What trains as the baseline does follows it; SWA's descent ends at a rate of its own. */
    @Test
    void theMethodsThatTrainAsTheBaselineShareItsFall() {
        Budget budget = new Budget(100, 0.05).with(Annealing.COSINE);
        double[] sgd = new Baseline().plan(budget, 7).schedule().lr();
        assertArrayEquals(Schedule.cosine(700, 0.05).lr(), sgd);
        assertArrayEquals(sgd, new Ema(0.9).plan(budget, 7).schedule().lr());
        assertArrayEquals(sgd, new Lawa(3).plan(budget, 7).schedule().lr());
        assertArrayEquals(
                Schedule.cosine(350, 0.05).lr(),
                new Independent(2).plan(budget, 7).schedule().lr());
        double[] fge = new Fge(0.8, 0.02, 0.0005, 0).plan(budget, 7).schedule().lr();
        assertArrayEquals(Arrays.copyOf(sgd, 560), Arrays.copyOf(fge, 560));
        Swa swa = new Swa(0.75, 0.01);
        assertArrayEquals(
                swa.plan(new Budget(100, 0.05), 7).schedule().lr(),
                swa.plan(budget, 7).schedule().lr());
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void aBudgetOfFewerStepsThanTheScheduleHasPartsIsRefused(int steps) {
        for (Annealing how : List.of(Annealing.STEP, Annealing.ONE_CYCLE)) {
            String message = assertThrows(IllegalArgumentException.class, () -> how.over(steps, 1))
                    .getMessage();
            assertTrue(message.startsWith("`epochs` must lie between 4 and"), message);
        }
    }

    /** METHODS: 150 epochs, cycles of 4 from 0.8 on: 7 1/2 cycles, so eight models, of which the last ends the run. */
    @Test
    void fgesCyclesOfThePaperGiveEightModelsAndTheLastEndsTheRun() {
        Method fge = new Fge(0.8, 0.05, 5e-4, 4).plan(new Budget(150, 0.1), 390);
        int[] at = fge.schedule().collections();
        assertEquals(8, at.length);
        assertEquals(150 * 390 - 1, at[7]);
        assertEquals(122 * 390 - 1, at[0]);
    }
}
