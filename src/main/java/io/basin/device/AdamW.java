package io.basin.device;

import io.basin.Api;
import io.basin.text.Require;

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101), as PyTorch computes it.
 *
 * <pre>
 *   w = w - lr wd w
 *   m = b1 m + (1 - b1) g         v = b2 v + (1 - b2) g g
 *   w = w - lr m / (1 - b1^t) / (sqrt(v / (1 - b2^t)) + eps)        t counted from 1
 * </pre>
 *
 * 28 bytes a weight, 36 where a step averages.
 */
@Api
public record AdamW(double beta1, double beta2, double eps, double weightDecay) implements UpdateRule {
    /** The paper's: 0.9, 0.999, 1e-8. */
    public AdamW(double weightDecay) {
        this(0.9, 0.999, 1e-8, weightDecay);
    }

    public AdamW {
        Require.belowOne("beta1", beta1);
        Require.belowOne("beta2", beta2);
        Require.positive("eps", eps);
        Require.notNegative("weightDecay", weightDecay);
    }

    @Override
    public String name() {
        return "adamw";
    }

    @Override
    public int moments() {
        return 2;
    }

    /** 1 / (1 - b1^t) and 1 / sqrt(1 - b2^t). */
    @Override
    public double[] scalars(long step) {
        return new double[] {
            1 / (1 - StrictMath.pow(beta1, (double) step + 1)),
            1 / Math.sqrt(1 - StrictMath.pow(beta2, (double) step + 1))
        };
    }

    @Override
    public void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c) {
        float b1 = (float) beta1;
        float b2 = (float) beta2;
        float r1 = (float) (1 - beta1);
        float r2 = (float) (1 - beta2);
        float e = (float) eps;
        float decay = lr * wd;
        float rate = lr * c[0];
        float scale = c[1];
        for (int i = 0; i < n; i++) {
            m[i] = b1 * m[i] + r1 * g[i];
            v[i] = b2 * v[i] + r2 * g[i] * g[i];
            w[i] = (w[i] - decay * w[i]) - rate * m[i] / ((float) Math.sqrt(v[i]) * scale + e);
        }
    }

    @Override
    public String cuda() {
        return "m = " + hex(beta1) + " * m + " + hex(1 - beta1) + " * g; v = " + hex(beta2) + " * v + " + hex(1 - beta2)
                + " * g * g; w = (w - lr * wd * w) - lr * c[0] * m / (sqrtf(v) * c[1] + " + hex(eps) + ");";
    }

    /** A float literal with all its bits. */
    private static String hex(double value) {
        return Float.toHexString((float) value) + "f";
    }
}
