package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

/**
 * How close is close: the one table of tolerances. An error counts relative to the largest expected magnitude of its
 * tensor, for a sum's rounding error scales with its terms and not with what is left of them.
 */
public enum Close {
    /** One operation in float32: sums of up to a few hundred products. */
    OPERATION(4e-6),
    /** A gradient that sums over a whole batch's pixels, or that batch norm has centred. */
    GRADIENT(2e-5),
    /** Outputs, gradients and weights of whole nets in float32 after a few steps. */
    NET(5e-4),
    /** Deep nets: each batch norm divides by a deviation of few values and magnifies what rounding did before it. */
    DEEP_NET(5e-3),
    /** The same function of the same numbers, rounded to float32 once or twice. */
    ROUNDING(3e-7),
    /** Shallow nets with bfloat16 activations (8 bits), against double precision. */
    BFLOAT16(6e-2);

    private final double tolerance;

    Close(double tolerance) {
        this.tolerance = tolerance;
    }

    public double tolerance() {
        return tolerance;
    }

    public void check(String what, float[] expected, float[] actual) {
        assertEquals(expected.length, actual.length, what);
        double scale = 0;
        for (float e : expected) scale = Math.max(scale, Math.abs(e));
        for (int i = 0; i < expected.length; i++) {
            double error = Math.abs((double) expected[i] - actual[i]);
            if (!(error <= tolerance * scale + 1e-30)) {
                assertTrue(
                        false,
                        what + " [" + i + "]: expected " + expected[i] + ", got " + actual[i] + "; largest expected "
                                + scale + ", error " + error / scale + ", " + this + " allows " + tolerance);
            }
        }
    }

    public void check(String what, double expected, double actual) {
        assertEquals(expected, actual, tolerance * Math.abs(expected) + 1e-30, what);
    }
}
