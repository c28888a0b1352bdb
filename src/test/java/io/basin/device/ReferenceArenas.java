package io.basin.device;

import java.nio.ByteBuffer;
import java.util.List;

/** What is done to whole arenas, in doubles: combinations of points, a control point's update, the second moment. */
final class ReferenceArenas {
    private ReferenceArenas() {}

    static double[] cells(Memory memory) {
        return ((ReferenceMemory) memory).values();
    }

    private static ByteBuffer raw(Memory memory) {
        return ((ReferenceMemory) memory).raw();
    }

    private static long step(Control control) {
        return raw(control.memory()).getLong(Control.STEP);
    }

    /** c_j in the current row. */
    static double c(Coefficients c, int j) {
        long row = c.control() == null ? 0 : step(c.control());
        return raw(c.memory()).getFloat(Math.toIntExact(c.at(row, j)));
    }

    static void combine(List<Memory> points, Coefficients c, Memory to) {
        double[] sum = new double[cells(to).length];
        for (int j = 0; j < points.size(); j++) {
            double share = c(c, j);
            if (share == 0) continue;
            for (int i = 0; i < sum.length; i++) sum[i] += share * cells(points.get(j))[i];
        }
        System.arraycopy(sum, 0, cells(to), 0, sum.length);
    }

    static void bend(Spec.Step spec, Storage storage, Memory point, Memory momentum, double c, Control control) {
        if (raw(control.memory()).getLong(Control.BROKEN) != 0) return;
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
