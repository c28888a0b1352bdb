package io.basin.device;

import java.nio.ByteBuffer;
import java.util.List;

/** What is done to whole arenas, in doubles: updates, combinations of points, a control point's update. */
final class ReferenceArenas extends Arenas {
    ReferenceArenas(Guard device) {
        super(device, Reach::requireOpen);
    }

    @Override
    protected Runnable planStep(Sgd spec, ParameterStore storage, RunState control) {
        return () -> update(spec, storage, control);
    }

    private static void update(Sgd spec, ParameterStore storage, RunState control) {
        ByteBuffer tables = raw(control.memory());
        if (tables.getLong(RunState.BROKEN) != 0) return;
        long t = tables.getLong(RunState.STEP);
        double lr = tables.getFloat(Math.toIntExact(control.rate(t)));
        double alpha = tables.getFloat(Math.toIntExact(control.rate(t) + 4L * control.steps()));
        double pull = control.pulls() ? tables.getFloat(Math.toIntExact(control.rate(t) + 8L * control.steps())) : 0;
        double[] w = cells(storage.memory(Arena.PARAMS));
        double[] g = cells(storage.memory(Arena.GRADS));
        double[] v = cells(storage.memory(Arena.MOMENTUM));
        double[] a = cells(storage.memory(Arena.AVERAGE));
        for (int i = 0; i < w.length; i++) {
            double d = g[i] + (4L * i < storage.splitBytes() ? spec.weightDecay() : 0) * w[i];
            v[i] = spec.momentum() * v[i] + d;
            w[i] -= lr * (spec.nesterov() ? d + spec.momentum() * v[i] : v[i]);
            if (alpha != 0) a[i] += alpha * (w[i] - a[i]);
            w[i] += pull * (a[i] - w[i]);
        }
    }

    /** Calls the rule for one weight at a time, in float32 as its contract says; only the average is in double. */
    @Override
    protected Runnable planStep(UpdateRule rule, ParameterStore storage, RunState state) {
        return () -> update(rule, storage, state);
    }

    private static void update(UpdateRule rule, ParameterStore storage, RunState state) {
        ByteBuffer tables = raw(state.memory());
        if (tables.getLong(RunState.BROKEN) != 0) return;
        long t = tables.getLong(RunState.STEP);
        float lr = tables.getFloat(Math.toIntExact(state.rate(t)));
        double alpha = tables.getFloat(Math.toIntExact(state.rate(t) + 4L * state.steps()));
        double pull = state.pulls() ? tables.getFloat(Math.toIntExact(state.rate(t) + 8L * state.steps())) : 0;
        double[] w = cells(storage.memory(Arena.PARAMS));
        double[] g = cells(storage.memory(Arena.GRADS));
        double[] a = cells(storage.memory(Arena.AVERAGE));
        double[][] s = new double[rule.moments()][];
        for (int k = 0; k < s.length; k++) s[k] = cells(storage.memory(ParameterStore.moment(k)));
        float[] c = state.scalars(rule)[(int) t];
        float[] none = {};
        for (int i = 0; i < w.length; i++) {
            float[][] one = {{(float) w[i]}, {(float) g[i]}, {0}, {0}};
            for (int k = 0; k < s.length; k++) one[2 + k][0] = (float) s[k][i];
            float wd = 4L * i < storage.splitBytes() ? (float) rule.weightDecay() : 0;
            rule.update(1, one[0], one[1], s.length > 0 ? one[2] : none, s.length > 1 ? one[3] : none, lr, wd, c);
            w[i] = one[0][0];
            for (int k = 0; k < s.length; k++) s[k][i] = one[2 + k][0];
            if (alpha != 0) a[i] += alpha * (w[i] - a[i]);
            w[i] += pull * (a[i] - w[i]);
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

    @Override
    protected Runnable planSum(List<Memory> points, Coefficients c, Memory to) {
        return () -> weightedSum(c, points, to);
    }

    private static void weightedSum(Coefficients c, List<Memory> points, Memory to) {
        double[] sum = new double[cells(to).length];
        for (int j = 0; j < points.size(); j++) {
            double share = c(c, j);
            if (share == 0) continue;
            for (int i = 0; i < sum.length; i++) sum[i] += share * cells(points.get(j))[i];
        }
        System.arraycopy(sum, 0, cells(to), 0, sum.length);
    }

    @Override
    protected Runnable planCurvePoint(
            Sgd spec, ParameterStore storage, Memory point, Memory momentum, Coefficients c, int j, RunState control) {
        return () -> move(spec, storage, point, momentum, c(c, j), control);
    }

    @Override
    protected Runnable planAdvance(RunState control) {
        ByteBuffer counters = raw(control.memory());
        return () -> counters.putLong(RunState.STEP, counters.getLong(RunState.STEP) + 1);
    }

    @Override
    public PredictionSum predictionSum(int samples, int classes) {
        return new ReferencePredictionSum(samples, classes);
    }

    private static void move(
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
