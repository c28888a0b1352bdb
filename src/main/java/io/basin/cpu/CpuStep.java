package io.basin.cpu;

import io.basin.device.Arena;
import io.basin.device.Coefficients;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import java.nio.FloatBuffer;

/**
 * The fused update: one pass over the arenas, 20 bytes a parameter, 28 where the step averages, 24 for a control point.
 *
 * <pre>
 *   d = c (g + wd w)             wd only before the split; c = 1, of a control point its coefficient
 *   v = mu v + d
 *   p = p - lr[t] v              Nesterov: p - lr[t] (d + mu v); p = w, of a curve the control point
 *   a = a + alpha[t] (p - a)     only where alpha[t] != 0; of a curve never
 * </pre>
 */
final class CpuStep extends CpuPass {
    private final Sgd spec;
    private final FloatBuffer params;
    private final FloatBuffer grads;
    private final FloatBuffer momentum;
    /** Null where the parameters themselves move. */
    private final FloatBuffer point;

    /** Null where a control point moves. */
    private final FloatBuffer average;

    private final CpuRow row;
    private final int j;
    private float c = 1;

    /** The step of the parameters. */
    CpuStep(WorkerPool crew, Sgd spec, ParameterStore storage, RunState control) {
        super(crew, storage, control);
        this.spec = spec;
        params = floats(storage.memory(Arena.PARAMS));
        grads = floats(storage.memory(Arena.GRADS));
        momentum = floats(storage.memory(Arena.MOMENTUM));
        average = floats(storage.memory(Arena.AVERAGE));
        point = null;
        row = null;
        j = 0;
    }

    /** The step of control point {@code j} of a curve, of which the parameters are a point. */
    CpuStep(
            WorkerPool crew,
            Sgd spec,
            ParameterStore storage,
            Memory point,
            Memory momentum,
            Coefficients coefficients,
            int j,
            RunState control) {
        super(crew, storage, control);
        coefficients.requireBend(j, point, momentum, storage);
        this.spec = spec;
        this.j = j;
        row = new CpuRow(coefficients);
        params = floats(storage.memory(Arena.PARAMS));
        grads = floats(storage.memory(Arena.GRADS));
        this.point = floats(point);
        this.momentum = floats(momentum);
        average = null;
    }

    @Override
    void begin(int t) {
        if (row != null) c = row.at(j);
    }

    @Override
    void tile(float[][] t, int i, int n, boolean decayed) {
        float mu = (float) spec.momentum();
        float[] p = point == null ? t[0] : t[3];
        params.get(i, t[0], 0, n);
        grads.get(i, t[1], 0, n);
        momentum.get(i, t[2], 0, n);
        if (point != null) point.get(i, p, 0, n);
        float wd = decayed ? (float) spec.weightDecay() : 0;
        if (spec.nesterov()) nesterov(t[0], t[1], t[2], p, n, c, mu, wd, lr);
        else heavyBall(t[0], t[1], t[2], p, n, c, mu, wd, lr);
        momentum.put(i, t[2], 0, n);
        (point == null ? params : point).put(i, p, 0, n);
        if (average != null) average(average, t[4], p, i, n);
    }

    private static void heavyBall(
            float[] w, float[] g, float[] v, float[] p, int n, float c, float mu, float wd, float lr) {
        for (int i = 0; i < n; i++) {
            float x = mu * v[i] + c * (g[i] + wd * w[i]);
            v[i] = x;
            p[i] = p[i] - lr * x;
        }
    }

    private static void nesterov(
            float[] w, float[] g, float[] v, float[] p, int n, float c, float mu, float wd, float lr) {
        for (int i = 0; i < n; i++) {
            float d = c * (g[i] + wd * w[i]);
            float x = mu * v[i] + d;
            v[i] = x;
            p[i] = p[i] - lr * (d + mu * x);
        }
    }
}
