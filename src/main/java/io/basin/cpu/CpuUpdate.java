package io.basin.cpu;

import io.basin.device.Arena;
import io.basin.device.ParameterStore;
import io.basin.device.RunState;
import io.basin.device.UpdateRule;
import java.nio.FloatBuffer;

/** A user's own optimizer and the running average in one pass over the arenas, see {@code kernels/update.cu}. */
final class CpuUpdate extends CpuPass {
    private final UpdateRule rule;
    /** (steps)(scalars), so that a step computes and allocates none. */
    private final float[][] scalars;

    private final FloatBuffer params;
    private final FloatBuffer grads;
    private final FloatBuffer[] moments;
    private final FloatBuffer average;
    private float[] c;

    CpuUpdate(WorkerPool crew, UpdateRule rule, ParameterStore storage, RunState state) {
        super(crew, storage, state);
        this.rule = rule;
        scalars = state.scalars(rule);
        params = floats(storage.memory(Arena.PARAMS));
        grads = floats(storage.memory(Arena.GRADS));
        average = floats(storage.memory(Arena.AVERAGE));
        moments = new FloatBuffer[rule.moments()];
        for (int k = 0; k < moments.length; k++) moments[k] = floats(storage.memory(ParameterStore.moment(k)));
    }

    @Override
    void begin(int t) {
        c = scalars[t];
    }

    @Override
    void tile(float[][] t, int i, int n, boolean decayed) {
        float wd = decayed ? (float) rule.weightDecay() : 0;
        params.get(i, t[0], 0, n);
        grads.get(i, t[1], 0, n);
        for (int k = 0; k < moments.length; k++) moments[k].get(i, t[2 + k], 0, n);
        rule.update(n, t[0], t[1], moments.length > 0 ? t[2] : null, moments.length > 1 ? t[3] : null, lr, wd, c);
        params.put(i, t[0], 0, n);
        for (int k = 0; k < moments.length; k++) moments[k].put(i, t[2 + k], 0, n);
        average(average, t[4], t[0], i, n);
    }
}
