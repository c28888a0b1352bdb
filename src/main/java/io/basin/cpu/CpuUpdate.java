package io.basin.cpu;

import io.basin.device.Arena;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.UpdateRule;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** A user's own optimizer and the running average in one pass over the arenas, see {@code kernels/update.cu}. */
final class CpuUpdate extends CpuPass {
    private final UpdateRule rule;
    private final RunState state;
    private final ByteBuffer tables;
    /** (steps)(scalars), so that a step computes and allocates none. */
    private final float[][] scalars;

    private final int split;
    private final FloatBuffer params;
    private final FloatBuffer grads;
    private final FloatBuffer[] moments;
    private final FloatBuffer average;
    private float lr;
    private float alpha;
    private float[] c;

    CpuUpdate(WorkerPool crew, UpdateRule rule, ParameterStore storage, RunState state) {
        super(crew, storage.paramBytes(), 5);
        this.rule = rule;
        this.state = state;
        tables = bytes(state.memory());
        scalars = state.scalars(rule);
        split = Math.toIntExact(storage.splitBytes() / 4);
        params = floats(storage.memory(Arena.PARAMS));
        grads = floats(storage.memory(Arena.GRADS));
        average = floats(storage.memory(Arena.AVERAGE));
        moments = new FloatBuffer[rule.moments()];
        for (int k = 0; k < moments.length; k++) moments[k] = floats(storage.memory(ParameterStore.moment(k)));
    }

    @Override
    public void run() {
        if (tables.getLong(RunState.BROKEN) != 0) return;
        int t = step(state, tables);
        int at = Math.toIntExact(state.rate(t));
        lr = tables.getFloat(at);
        alpha = tables.getFloat(at + 4 * state.steps());
        c = scalars[t];
        pass();
    }

    @Override
    void tile(float[][] t, int i, int n) {
        int decayed = Math.max(0, Math.min(n, split - i));
        if (decayed > 0) update(t, i, decayed, (float) rule.weightDecay());
        if (decayed < n) update(t, i + decayed, n - decayed, 0);
    }

    private void update(float[][] t, int i, int n, float wd) {
        params.get(i, t[0], 0, n);
        grads.get(i, t[1], 0, n);
        for (int k = 0; k < moments.length; k++) moments[k].get(i, t[2 + k], 0, n);
        rule.update(n, t[0], t[1], moments.length > 0 ? t[2] : null, moments.length > 1 ? t[3] : null, lr, wd, c);
        params.put(i, t[0], 0, n);
        for (int k = 0; k < moments.length; k++) moments[k].put(i, t[2 + k], 0, n);
        if (alpha == 0) return;
        average.get(i, t[4], 0, n);
        for (int j = 0; j < n; j++) t[4][j] = t[4][j] + alpha * (t[0][j] - t[4][j]);
        average.put(i, t[4], 0, n);
    }
}
