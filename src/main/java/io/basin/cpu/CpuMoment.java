package io.basin.cpu;

import io.basin.device.Arena;
import io.basin.device.Control;
import io.basin.device.Memory;
import io.basin.device.Storage;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/** s = s + alpha[t] (w w - s) where alpha[t] is not 0: 12 bytes a parameter there, nothing elsewhere. */
final class CpuMoment extends CpuPass {
    private final Control control;
    private final ByteBuffer tables;
    private final FloatBuffer params;
    private final FloatBuffer second;
    private float alpha;

    CpuMoment(Crew crew, Storage storage, Memory second, Control control) {
        super(crew, storage.paramBytes(), 2);
        if (second.bytes() != storage.paramBytes()) {
            throw new IllegalArgumentException("the second moment and the parameters differ in size");
        }
        this.control = control;
        tables = bytes(control.memory());
        params = floats(storage.memory(Arena.PARAMS));
        this.second = floats(second);
    }

    @Override
    public void run() {
        alpha = tables.getFloat(Math.toIntExact(control.rate(step(control, tables)) + 4L * control.steps()));
        if (alpha != 0) pass();
    }

    @Override
    void tile(float[][] t, int i, int n) {
        params.get(i, t[0], 0, n);
        second.get(i, t[1], 0, n);
        average(t[1], t[0], n, alpha);
        second.put(i, t[1], 0, n);
    }

    private static void average(float[] s, float[] w, int n, float alpha) {
        for (int i = 0; i < n; i++) s[i] = s[i] + alpha * (w[i] * w[i] - s[i]);
    }
}
