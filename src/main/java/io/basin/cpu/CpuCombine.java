package io.basin.cpu;

import io.basin.device.Coefficients;
import io.basin.device.Memory;
import java.nio.FloatBuffer;
import java.util.List;

/** to = sum of c_j p_j: 4 bytes a parameter for each point whose c_j is not 0, and 4 for the result. */
final class CpuCombine extends CpuPass {
    private final FloatBuffer[] points;
    private final FloatBuffer to;
    private final CpuRow row;
    private final float[] c;

    CpuCombine(WorkerPool crew, List<Memory> points, Coefficients coefficients, Memory to) {
        super(crew, to.bytes());
        coefficients.requireCombination(points, to);
        this.points = points.stream().map(CpuPass::floats).toArray(FloatBuffer[]::new);
        this.to = floats(to);
        row = new CpuRow(coefficients);
        c = new float[points.size()];
    }

    @Override
    public void run() {
        for (int j = 0; j < c.length; j++) c[j] = row.at(j);
        pass();
    }

    @Override
    void tile(float[][] t, int i, int n, boolean decayed) {
        float[] sum = t[0];
        boolean first = true;
        for (int j = 0; j < c.length; j++) {
            if (c[j] == 0) continue;
            points[j].get(i, t[1], 0, n);
            if (first) scale(sum, t[1], n, c[j]);
            else add(sum, t[1], n, c[j]);
            first = false;
        }
        if (first) java.util.Arrays.fill(sum, 0, n, 0);
        to.put(i, sum, 0, n);
    }

    private static void scale(float[] sum, float[] x, int n, float c) {
        for (int i = 0; i < n; i++) sum[i] = c * x[i];
    }

    private static void add(float[] sum, float[] x, int n, float c) {
        for (int i = 0; i < n; i++) sum[i] = sum[i] + c * x[i];
    }
}
