package io.basin.cpu;

import io.basin.device.Arena;
import io.basin.device.Coefficients;
import io.basin.device.Control;
import io.basin.device.Memory;
import io.basin.device.Spec;
import io.basin.device.Storage;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * The update of one control point, 24 bytes a parameter.
 *
 * <pre>
 *   d = c_j (g + wd w)           w = w(t); wd only before the split
 *   v = mu v + d
 *   p = p - lr[t] v              Nesterov: p - lr[t] (d + mu v)
 * </pre>
 */
final class CpuBend extends CpuPass {
    private final Spec.Step spec;
    private final Control control;
    private final ByteBuffer tables;
    private final CpuRow row;
    private final int j;
    private final int split;
    private final FloatBuffer params;
    private final FloatBuffer grads;
    private final FloatBuffer point;
    private final FloatBuffer momentum;
    private float lr;
    private float c;

    CpuBend(
            Crew crew,
            Spec.Step spec,
            Storage storage,
            Memory point,
            Memory momentum,
            Coefficients coefficients,
            int j,
            Control control) {
        super(crew, storage.paramBytes(), 4);
        coefficients.requireBend(j, point, momentum, storage);
        this.spec = spec;
        this.control = control;
        this.j = j;
        tables = bytes(control.memory());
        row = new CpuRow(coefficients);
        split = Math.toIntExact(storage.splitBytes() / 4);
        params = floats(storage.memory(Arena.PARAMS));
        grads = floats(storage.memory(Arena.GRADS));
        this.point = floats(point);
        this.momentum = floats(momentum);
    }

    /** After a loss that was no number nothing moves any more, as in {@link CpuStep}. */
    @Override
    public void run() {
        if (tables.getLong(Control.BROKEN) != 0) return;
        lr = tables.getFloat(Math.toIntExact(control.rate(step(control, tables))));
        c = row.at(j);
        pass();
    }

    @Override
    void tile(float[][] t, int i, int n) {
        int decayed = Math.max(0, Math.min(n, split - i));
        if (decayed > 0) update(t, i, decayed, (float) spec.weightDecay());
        if (decayed < n) update(t, i + decayed, n - decayed, 0);
    }

    private void update(float[][] t, int i, int n, float wd) {
        float mu = (float) spec.momentum();
        params.get(i, t[0], 0, n);
        grads.get(i, t[1], 0, n);
        momentum.get(i, t[2], 0, n);
        point.get(i, t[3], 0, n);
        pull(t[0], t[1], n, c, wd);
        if (spec.nesterov()) nesterov(t[1], t[2], t[3], n, mu, lr);
        else heavyBall(t[1], t[2], t[3], n, mu, lr);
        momentum.put(i, t[2], 0, n);
        point.put(i, t[3], 0, n);
    }

    private static void pull(float[] w, float[] g, int n, float c, float wd) {
        for (int i = 0; i < n; i++) g[i] = c * (g[i] + wd * w[i]);
    }

    private static void heavyBall(float[] d, float[] v, float[] p, int n, float mu, float lr) {
        for (int i = 0; i < n; i++) {
            float x = mu * v[i] + d[i];
            v[i] = x;
            p[i] = p[i] - lr * x;
        }
    }

    private static void nesterov(float[] d, float[] v, float[] p, int n, float mu, float lr) {
        for (int i = 0; i < n; i++) {
            float x = mu * v[i] + d[i];
            v[i] = x;
            p[i] = p[i] - lr * (d[i] + mu * x);
        }
    }
}
