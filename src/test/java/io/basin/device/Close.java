package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.fail;

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
    /** Shallow nets with bfloat16 activations (8 bits: 2^-9 each rounding) and smooth layers; errors' norms. */
    BFLOAT16(2e-2),
    /**
     * The same with ReLU and maximum pooling. Rounding to 8 bits makes ties in maxima and turns signs at ReLUs, which
     * moves whole elements of the gradient: a share q of them changes its norm by about sqrt(2 q), and q is near 1 %.
     */
    BFLOAT16_KINKED(0.15);

    private final double tolerance;

    Close(double tolerance) {
        this.tolerance = tolerance;
    }

    public double tolerance() {
        return tolerance;
    }

    public void check(String what, float[] expected, float[] actual) {
        check(what, expected, actual, 0);
    }

    /** @param floor magnitude below which a tensor's own scale says nothing: what is left where everything cancels */
    public void check(String what, float[] expected, float[] actual, double floor) {
        assertEquals(expected.length, actual.length, what);
        if (this == BFLOAT16 || this == BFLOAT16_KINKED) {
            byNorm(what, expected, actual, floor);
            return;
        }
        double scale = Math.max(floor, largest(expected));
        for (int i = 0; i < expected.length; i++) {
            double error = Math.abs((double) expected[i] - actual[i]);
            if (error <= tolerance * scale + 1e-30) continue;
            fail(what + " [" + i + "]: expected " + expected[i] + ", got " + actual[i] + "; scale " + scale + ", error "
                    + error / scale + ", " + this + " allows " + tolerance);
        }
    }

    private void byNorm(String what, float[] expected, float[] actual, double floor) {
        double error = 0;
        double size = floor * floor * expected.length;
        for (int i = 0; i < expected.length; i++) {
            error += Math.pow((double) expected[i] - actual[i], 2);
            size += Math.pow(expected[i], 2);
        }
        double relative = Math.sqrt(error / Math.max(size, 1e-60));
        if (!(relative <= tolerance)) {
            fail(what + ": error's norm is " + relative + " of the expected, " + this + " allows " + tolerance);
        }
    }

    public static double largest(float[] values) {
        double largest = 0;
        for (float v : values) largest = Math.max(largest, Math.abs(v));
        return largest;
    }

    public void check(String what, double expected, double actual) {
        assertEquals(expected, actual, tolerance * Math.abs(expected) + 1e-30, what);
    }
}
