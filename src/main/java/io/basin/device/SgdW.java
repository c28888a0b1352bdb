package io.basin.device;

import io.basin.Api;
import io.basin.text.Require;

/**
 * Stochastic gradient descent with decoupled weight decay (Loshchilov and Hutter 2019, arXiv 1711.05101): w = w - lr wd w;
 * m = mu m + g; w = w - lr m, Nesterov: w - lr (g + mu m). 20 bytes a weight, 28 where a step averages.
 */
@Api
public record SgdW(double momentum, double weightDecay, boolean nesterov) implements UpdateRule {
    public SgdW {
        Require.belowOne("momentum", momentum);
        Require.notNegative("weightDecay", weightDecay);
        if (nesterov && momentum == 0) throw new IllegalArgumentException("`nesterov` needs `momentum` above 0");
    }

    @Override
    public String name() {
        return "sgdw";
    }

    @Override
    public int moments() {
        return 1;
    }

    @Override
    public void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c) {
        float mu = (float) momentum;
        float decay = lr * wd;
        for (int i = 0; i < n; i++) {
            float x = mu * m[i] + g[i];
            m[i] = x;
            w[i] = (w[i] - decay * w[i]) - lr * (nesterov ? g[i] + mu * x : x);
        }
    }

    @Override
    public String cuda() {
        String mu = Float.toHexString((float) momentum) + "f";
        return "m = " + mu + " * m + g; w = (w - lr * wd * w) - lr * " + (nesterov ? "(g + " + mu + " * m);" : "m;");
    }
}
