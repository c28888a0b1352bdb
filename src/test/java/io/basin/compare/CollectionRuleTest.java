package io.basin.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.methods.Asked;
import io.basin.methods.Budget;
import io.basin.methods.CollectionRulesTest;
import io.basin.methods.Method;
import io.basin.methods.Methods;
import io.basin.methods.Schedule;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The self-check of schedules: silent for every method's own schedule at any budget, and for no other. */
class CollectionRuleTest {
    private static final int STEPS_PER_EPOCH = 40;
    private static final Asked USUAL = new Asked(new Budget(10, 0.05), Methods.USUAL);

    private static CollectionRule promise(String method) {
        return CollectionRule.of(USUAL.plan(method, STEPS_PER_EPOCH).origin());
    }

    private static String broken(CollectionRule promise, Method planned, int... collected) {
        Schedule schedule = planned.schedule();
        return promise.broken(collected, at -> (float) schedule.lr(at));
    }

    private static int[] models(Method planned) {
        int[] collected = planned.schedule().collections();
        if (collected.length > 0) return collected;
        double[] alpha = planned.averaging().alpha();
        return IntStream.range(0, alpha.length).filter(s -> alpha[s] != 0).toArray();
    }

    @ParameterizedTest
    @CsvSource({
        "swa",
        "swa-cyclic",
        "swag",
        "swap",
        "snapshot",
        "fge",
        "lawa",
        "independent",
        "tail",
        "ema",
        "wsm",
        "lookahead",
        "posthoc-ema"
    })
    void aModelMoreOrLessOrAStepTooEarlyBreaksThePromise(String method) {
        Method planned = USUAL.plan(method, STEPS_PER_EPOCH);
        int[] at = models(planned);
        assertEquals("", broken(promise(method), planned, at));
        String none = broken(promise(method), planned, Arrays.copyOf(at, at.length - 1));
        assertTrue(none.contains((at.length - 1) + " models"), none);
        assertFalse(broken(promise(method), planned, Arrays.copyOfRange(at, 1, at.length))
                .isEmpty());
        if (method.equals("ema")) return; // Its first model is that of step 0.
        int[] early = Arrays.stream(at).map(s -> s - 1).toArray();
        assertFalse(broken(promise(method), planned, early).isEmpty(), method);
    }

    @ParameterizedTest
    @CsvSource({"swa", "swag", "fge", "swa-cyclic", "snapshot", "swap", "independent"})
    void anotherRateBreaksThePromise(String method) {
        int[] at = models(USUAL.plan(method, STEPS_PER_EPOCH));
        assertFalse(promise(method).broken(at, s -> 0.011).isEmpty());
    }

    /** What was planned is what is promised, down to runs of a few steps and cycles that fit into none. */
    @Test
    void everyPlanKeepsItsPromiseAtEveryBudget() {
        int plans = 0;
        for (int perEpoch : new int[] {1, 3, 10, 23, 391}) {
            for (double epochs : new double[] {0.5, 1, 2.3, 7, 10}) {
                for (double cycles : new double[] {1, 2, 3.5, 10}) {
                    for (double start : new double[] {0.3, 0.75, 0.8}) plans += plans(perEpoch, epochs, start, cycles);
                }
            }
        }
        assertTrue(plans > 2000, "only " + plans + " plans were made");
    }

    private static int plans(int perEpoch, double epochs, double start, double cycles) {
        int plans = 0;
        for (double warmUp : new double[] {0, epochs / 10}) {
            double left = (1 - start) * (epochs - warmUp);
            Asked s = CollectionRulesTest.settings(
                    epochs, warmUp, start, left / Math.ceil(cycles), left / cycles, 3, (int) Math.ceil(cycles));
            for (String method : Methods.NAMES) {
                if (method.equals("sgd")) continue;
                Method planned;
                try {
                    planned = s.plan(method, perEpoch);
                } catch (IllegalArgumentException e) {
                    continue; // A refusal names its flag, as CollectionRulesTest shows.
                }
                String where = method + ", " + epochs + " x " + perEpoch + " steps, start " + start + ", " + cycles;
                assertEquals("", broken(CollectionRule.of(planned.origin()), planned, models(planned)), where);
                plans++;
            }
        }
        return plans;
    }
}
