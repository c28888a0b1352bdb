package io.basin.cpu;

import io.basin.device.Coefficients;
import io.basin.device.RunState;
import java.nio.ByteBuffer;

/** The row of a coefficient table that the step counter points to. */
final class CpuRow {
    private final Coefficients c;
    private final ByteBuffer table;
    private final ByteBuffer counters;

    CpuRow(Coefficients c) {
        this.c = c;
        table = CpuPass.bytes(c.memory());
        RunState control = c.control();
        counters = control == null ? null : CpuPass.bytes(control.memory());
    }

    /** c_j of the current step. */
    float at(int j) {
        int row = counters == null ? 0 : CpuPass.step(c.control(), counters);
        return table.getFloat(Math.toIntExact(c.at(row, j)));
    }
}
