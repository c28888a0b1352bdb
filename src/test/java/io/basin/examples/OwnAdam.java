package io.basin.examples;

import io.basin.device.UpdateRule;

/** An optimizer in one class: Adam (Kingma and Ba 2015), on every device. */
public final class OwnAdam implements UpdateRule {
    public String name() {
        return "own-adam";
    }

    public int moments() {
        return 2;
    }

    public double[] scalars(long t) {
        return new double[] {1 / (1 - Math.pow(0.9, t + 1)), 1 / Math.sqrt(1 - Math.pow(0.999, t + 1))};
    }

    public void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c) {
        for (int i = 0; i < n; i++) {
            m[i] = 0.9f * m[i] + 0.1f * g[i];
            v[i] = 0.999f * v[i] + 0.001f * g[i] * g[i];
            w[i] -= lr * c[0] * m[i] / ((float) Math.sqrt(v[i]) * c[1] + 1e-8f);
        }
    }

    public String cuda() {
        return "m = 0.9f * m + 0.1f * g; v = 0.999f * v + 0.001f * g * g; w -= lr * c[0] * m / (sqrtf(v) * c[1] + 1e-8f);";
    }
}
