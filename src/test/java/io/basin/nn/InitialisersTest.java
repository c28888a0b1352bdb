package io.basin.nn;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Initializer;
import io.basin.device.Shape;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class InitialisersTest {
    private static final Shape SHAPE = Shape.of(128, 64, 3, 3);

    private static float[] draw(Initializer init, long seed) {
        float[] w = new float[(int) SHAPE.elements()];
        init.fill(w, SHAPE, seed);
        return w;
    }

    private static double variance(float[] w) {
        double mean = 0;
        for (float v : w) mean += v / (double) w.length;
        double sum = 0;
        for (float v : w) sum += (v - mean) * (v - mean);
        assertEquals(0, mean, 5 * Math.sqrt(sum / w.length / w.length));
        return sum / w.length;
    }

    @Test
    void variancesAreThoseOfTheirFormulas() {
        int fanIn = 64 * 9;
        int fanOut = 128 * 9;
        // A normal's variance from n draws is known to sqrt(2/n); n = 73,728: 2.6 % is five deviations.
        assertEquals(2.0 / fanIn, variance(draw(Initialisers.HE, 1)), 0.026 * 2.0 / fanIn);
        assertEquals(2.0 / fanOut, variance(draw(Initialisers.HE_FAN_OUT, 2)), 0.026 * 2.0 / fanOut);
        assertEquals(1.0 / 3 / fanIn, variance(draw(Initialisers.PYTORCH, 3)), 0.026 / 3 / fanIn);
    }

    @Test
    void uniformWeightsStayWithinTheBound() {
        double bound = 1 / Math.sqrt(64 * 9);
        for (float v : draw(Initialisers.PYTORCH, 4)) assertTrue(Math.abs(v) <= bound);
    }

    @Test
    void seedsDecideEveryBit() {
        assertArrayEquals(draw(Initialisers.HE, 5), draw(Initialisers.HE, 5));
        assertFalse(Arrays.equals(draw(Initialisers.HE, 5), draw(Initialisers.HE, 6)));
    }
}
