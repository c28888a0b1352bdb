package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import io.basin.device.Close;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Draws;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Op;
import io.basin.device.OpTrial;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import org.junit.jupiter.api.Test;

/**
 * What each precision rounds: a dense layer and the convolution that computes the same, forward and backward, against products
 * in double of operands as they are, with 10 bits after the point, and in bfloat16.
 */
class PrecisionTest {
    private static final int ROWS = 6;
    private static final int IN = 48;
    private static final int OUT = 17;

    private final float[] x = Draws.normal(1, (long) ROWS * IN);
    private final float[] w = Draws.normal(2, (long) OUT * IN);
    private final float[] gradient = Draws.normal(3, (long) ROWS * OUT);

    @Test
    void convolutionsRoundInTf32AndBothInBfloat16() {
        if (!Cuda.software()) return;
        requireThatRoundingShows();
        for (Precision precision : Precision.values()) {
            try (Device device = Devices.open("cuda", 1)) {
                check(device, precision, false);
                check(device, precision, true);
            }
        }
    }

    /** To nearest, ties away from zero, as {@code cvt.rna.tf32} rounds. */
    private static float rounded(float value) {
        return Float.intBitsToFloat(Float.floatToRawIntBits(value) + 0x1000 & 0xffffe000);
    }

    private static float[] operand(float[] values, Precision precision) {
        if (precision == Precision.BF16) return Elements.BFLOAT16.rounded(values);
        float[] out = values.clone();
        if (precision == Precision.TF32) for (int i = 0; i < out.length; i++) out[i] = rounded(out[i]);
        return out;
    }

    /** A value or a gradient, or the gradient of a convolution's weights, is stored in bfloat16; others are float32. */
    private static void check(String what, float[] exact, float[] actual, boolean narrow) {
        if (!narrow) Close.OPERATION.check(what, exact, actual);
        else assertArrayEquals(Elements.BFLOAT16.rounded(exact), actual, what);
    }

    /** Sums over the middle index: c[i][j] = sum_k a[i * ai + k * ak] b[j * bj + k * bk]. */
    private static float[] product(float[] a, int ai, int ak, float[] b, int bj, int bk, int m, int n, int inner) {
        float[] c = new float[m * n];
        for (int i = 0; i < m; i++) {
            for (int j = 0; j < n; j++) {
                double sum = 0;
                for (int k = 0; k < inner; k++) sum += (double) a[i * ai + k * ak] * b[j * bj + k * bk];
                c[i * n + j] = (float) sum;
            }
        }
        return c;
    }

    private float[] outputs(Precision p) {
        return product(operand(x, p), IN, 1, operand(w, p), IN, 1, ROWS, OUT, IN);
    }

    /** Else a device that never rounds would pass for one that does. */
    private void requireThatRoundingShows() {
        float[] exact = outputs(Precision.STRICT);
        float[] coarse = outputs(Precision.TF32);
        double largest = 0;
        for (int i = 0; i < exact.length; i++) largest = Math.max(largest, Math.abs(exact[i] - coarse[i]));
        if (largest < 20 * Close.OPERATION.tolerance() * Close.largest(exact)) {
            throw new AssertionError("rounding moves nothing by more than " + largest);
        }
    }

    private void check(Device device, Precision precision, boolean convolution) {
        boolean exact = precision == Precision.STRICT || precision != Precision.BF16 && !convolution;
        Precision rounding = exact ? Precision.STRICT : precision == Precision.BF16 ? precision : Precision.TF32;
        boolean narrow = precision == Precision.BF16;
        float[] a = operand(x, rounding);
        float[] b = operand(w, rounding);
        float[] g = operand(gradient, rounding);
        String what = precision + (convolution ? ", convolution: " : ", dense: ");
        try (OpTrial trial = OpTrial.of(device, PlanContext.Mode.TRAIN, ROWS, Shape.of(IN, 1, 1), precision)) {
            Tensor input = convolution ? trial.input(OpTrial.From.CONV, IN) : trial.rows(IN);
            Initializer zero = Initializer.constant(0);
            Layer layer = convolution
                    ? new Layer.Conv(OUT, 1, 1, 0, 1, false, false, zero)
                    : new Layer.Dense(OUT, false, false, zero);
            Op op = trial.layer("op", layer, input);
            trial.ready();
            trial.write(input, x);
            trial.write("op.weight", w);
            op.forward();
            check(what + "y", outputs(rounding), trial.read(op.output()), narrow);
            trial.writeGrad(op.output(), gradient);
            trial.backward();
            float[] dx = product(g, OUT, 1, b, 1, IN, ROWS, IN, OUT);
            float[] dw = product(g, 1, OUT, a, 1, IN, OUT, IN, ROWS);
            check(what + "dx", dx, trial.readGrad(input), narrow);
            check(what + "dw", dw, trial.readGrad("op.weight"), narrow && convolution);
        }
    }
}
