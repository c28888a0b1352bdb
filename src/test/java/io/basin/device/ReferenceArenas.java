package io.basin.device;

import java.nio.ByteBuffer;
import java.util.List;

/** What is done to whole arenas, in doubles: combinations of points, a control point's update, the second moment. */
final class ReferenceArenas {
    private ReferenceArenas() {}

    /** Calls the rule for one weight at a time, in float32 as its contract says; only the average is in double. */
    static void update(UpdateRule rule, ParameterStore storage, RunState state) {
        ByteBuffer tables = ((ReferenceMemory) state.memory()).raw();
        if (tables.getLong(RunState.BROKEN) != 0) return;
        long t = tables.getLong(RunState.STEP);
        float lr = tables.getFloat(Math.toIntExact(state.rate(t)));
        double alpha = tables.getFloat(Math.toIntExact(state.rate(t) + 4L * state.steps()));
        double[] w = ((ReferenceMemory) storage.memory(Arena.PARAMS)).values();
        double[] g = ((ReferenceMemory) storage.memory(Arena.GRADS)).values();
        double[] a = ((ReferenceMemory) storage.memory(Arena.AVERAGE)).values();
        double[][] s = new double[rule.moments()][];
        for (int k = 0; k < s.length; k++) s[k] = ((ReferenceMemory) storage.memory(ParameterStore.moment(k))).values();
        float[] c = state.scalars(rule)[(int) t];
        for (int i = 0; i < w.length; i++) {
            float[][] one = {{(float) w[i]}, {(float) g[i]}, {0}, {0}};
            for (int k = 0; k < s.length; k++) one[2 + k][0] = (float) s[k][i];
            float wd = 4L * i < storage.splitBytes() ? (float) rule.weightDecay() : 0;
            rule.update(1, one[0], one[1], s.length > 0 ? one[2] : null, s.length > 1 ? one[3] : null, lr, wd, c);
            w[i] = one[0][0];
            for (int k = 0; k < s.length; k++) s[k][i] = one[2 + k][0];
            if (alpha != 0) a[i] += alpha * (w[i] - a[i]);
        }
    }

    static double[] cells(Memory memory) {
        return ((ReferenceMemory) memory).values();
    }

    private static ByteBuffer raw(Memory memory) {
        return ((ReferenceMemory) memory).raw();
    }

    private static long step(RunState control) {
        return raw(control.memory()).getLong(RunState.STEP);
    }

    /** c_j in the current row. */
    static double c(Coefficients c, int j) {
        long row = c.control() == null ? 0 : step(c.control());
        return raw(c.memory()).getFloat(Math.toIntExact(c.at(row, j)));
    }

    static void weightedSum(List<Memory> points, Coefficients c, Memory to) {
        double[] sum = new double[cells(to).length];
        for (int j = 0; j < points.size(); j++) {
            double share = c(c, j);
            if (share == 0) continue;
            for (int i = 0; i < sum.length; i++) sum[i] += share * cells(points.get(j))[i];
        }
        System.arraycopy(sum, 0, cells(to), 0, sum.length);
    }

    static void stepCurvePoint(
            Sgd spec, ParameterStore storage, Memory point, Memory momentum, double c, RunState control) {
        if (raw(control.memory()).getLong(RunState.BROKEN) != 0) return;
        double lr = raw(control.memory()).getFloat(Math.toIntExact(control.rate(step(control))));
        double[] w = cells(storage.memory(Arena.PARAMS));
        double[] g = cells(storage.memory(Arena.GRADS));
        double[] p = cells(point);
        double[] v = cells(momentum);
        for (int i = 0; i < w.length; i++) {
            double wd = 4L * i < storage.splitBytes() ? spec.weightDecay() : 0;
            double d = c * (g[i] + wd * w[i]);
            v[i] = spec.momentum() * v[i] + d;
            p[i] -= lr * (spec.nesterov() ? d + spec.momentum() * v[i] : v[i]);
        }
    }
}
