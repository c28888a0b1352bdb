package io.basin.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import io.basin.train.Method;
import io.basin.train.Schedule;
import io.basin.train.Settings;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** The self-check of schedules: silent for every method's own schedule, and not for one that collects a step too early. */
class CollectionRuleTest {
    private static final int STEPS_PER_EPOCH = 40;
    private static final Settings SETTINGS = Settings.standard("mnist", "mlp", 10);

    private static String firstBroken(Method recipe, Schedule schedule) {
        CollectionRule promise = CollectionRule.of(recipe, SETTINGS, STEPS_PER_EPOCH);
        for (int step : schedule.collections()) {
            String broken = promise.broken(step, at -> (float) schedule.lr(at));
            if (!broken.isEmpty()) return broken;
        }
        return "";
    }

    @ParameterizedTest
    @CsvSource({"swa", "swa-cyclic", "swag", "swap", "snapshot", "fge", "lawa", "independent"})
    void everyMethodKeepsItsPromiseAndAStepTooEarlyBreaksIt(String method) {
        Method recipe = Method.of(method, SETTINGS, STEPS_PER_EPOCH);
        assertEquals("", firstBroken(recipe, recipe.schedule()), method);
        int[] early =
                Arrays.stream(recipe.schedule().collections()).map(at -> at - 1).toArray();
        assertFalse(firstBroken(recipe, recipe.schedule().collecting(early)).isEmpty(), method);
    }

    @ParameterizedTest
    @CsvSource({"swa, 0.011", "swag, 0.011", "fge, 0.0006", "swa-cyclic, 0.0011"})
    void anotherRateBreaksThePromise(String method, double rate) {
        Method recipe = Method.of(method, SETTINGS, STEPS_PER_EPOCH);
        CollectionRule promise = CollectionRule.of(recipe, SETTINGS, STEPS_PER_EPOCH);
        assertFalse(
                promise.broken(recipe.schedule().collections()[0], at -> rate).isEmpty());
    }
}
