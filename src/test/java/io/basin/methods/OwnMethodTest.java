package io.basin.methods;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.methods.Method.Product;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Tables of one's own: taken as they are, at once, or refused by name. */
class OwnMethodTest {
    @Test
    void aScheduleIsItsNumbers() {
        double[] rates = {0.1, 0, 0.2, 0.05};
        Schedule own = Schedule.of("own", rates, 1, 3);
        rates[0] = 9;
        assertArrayEquals(new double[] {0.1, 0, 0.2, 0.05}, own.lr());
        assertArrayEquals(new int[] {1, 3}, own.collections());
        assertTrue(own.toString().startsWith("own: 4 steps"), own.toString());
    }

    @Test
    void anAverageIsItsNumbers() {
        double[] alpha = {0, 1, 0.5, 0};
        assertArrayEquals(alpha, Averaging.of(alpha).alpha());
        assertEquals(2, Averaging.of(alpha).collected());
    }

    @Test
    void anEpochOfOneAndAHalfMillionSamplesIsPlannedInMilliseconds() {
        double[] rates = new double[39_000];
        Arrays.fill(rates, 0.1);
        // Once for the classes to be loaded.
        new Method("own", Schedule.of("own", rates), Averaging.none(39_000), Product.LAST).identity();
        assertTimeout(
                Duration.ofMillis(200),
                () -> new Method("own", Schedule.of("own", rates), Averaging.of(new double[39_000]), Product.LAST)
                        .identity());
    }

    @Test
    void whatCannotBeTrainedIsRefused() {
        refused("`rates` must not be negative", () -> Schedule.of("own", new double[] {0.1, -0.1}));
        refused("that of step 1 is NaN", () -> Schedule.of("own", new double[] {0.1, Double.NaN}));
        refused("that of step 0 is 1.0E39", () -> Schedule.of("own", new double[] {1e39}));
        refused("`rates` must lie between 1", () -> Schedule.of("own", new double[0]));
        refused("`collections` must rise", () -> Schedule.of("own", new double[] {1}, 1));
        refused("its first that is not 0 must be 1; that of step 1 is 0.5", () -> Averaging.of(0, 0.5));
        refused("that of step 1 is 1.5", () -> Averaging.of(1, 1.5));
        Schedule two = Schedule.of("own", new double[] {1, 1});
        refused("2 steps and its averaging 3", () -> new Method("m", two, Averaging.none(3), Product.LAST));
        refused("averages nothing", () -> new Method("m", two, Averaging.none(2), Product.AVERAGE));
        refused("collects fewer than 1", () -> new Method("m", two, Averaging.none(2), Product.MEMBERS));
        refused("name is that of its folder", () -> new Method("../m", two, Averaging.none(2), Product.LAST));
    }

    private static void refused(String says, Executable call) {
        String message = assertThrows(IllegalArgumentException.class, call).getMessage();
        assertTrue(message.contains(says), message);
    }

    /** Everything that decides what is trained makes another identity. */
    @Test
    void tablesThatDifferInOneNumberAreAnotherMethod() {
        double[] rates = {0.1, 0.1, 0.1};
        Method one = own(rates, new double[] {0, 1, 0.5}, 2);
        assertEquals(one.identity(), own(rates, new double[] {0, 1, 0.5}, 2).identity());
        assertNotEquals(
                one.identity(),
                own(new double[] {0.1, 0.1, 0.10000001}, new double[] {0, 1, 0.5}, 2)
                        .identity());
        assertNotEquals(one.identity(), own(rates, new double[] {0, 1, 0.4}, 2).identity());
        assertNotEquals(one.identity(), own(rates, new double[] {0, 1, 0.5}, 1).identity());
    }

    private static Method own(double[] rates, double[] alpha, int collect) {
        return new Method("own", Schedule.of("own", rates, collect), Averaging.of(alpha), Product.AVERAGE);
    }

    @Test
    void anUnknownNameIsRefusedWithTheLikeliestOne() {
        refused("did you mean 'snapshot'?", () -> Methods.USUAL.named("snapshto"));
        assertEquals("swa-cyclic", Methods.USUAL.named("swa-cyclic").name());
        assertEquals(16, Methods.NAMES.size());
    }
}
