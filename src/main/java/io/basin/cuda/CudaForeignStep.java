package io.basin.cuda;

import io.basin.device.ForeignArrays;
import io.basin.device.ForeignStep;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.UpdateRule;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;

/**
 * The kernel {@code fused} of {@code kernels/update.cu} in a context and on a stream of others. Numbers that change from step to step lie in
 * tables on the device, so a captured {@link #run} goes on along them at each replay. Made before a capture begins, it waits for its
 * uploads.
 */
final class CudaForeignStep extends CudaForeign implements ForeignStep {
    private static final int TABLE_ROW = 64;

    final List<Launch> launches = new ArrayList<>();

    CudaForeignStep(long stream, Plan plan) {
        super(
                stream,
                plan.strips().stream()
                        .flatMap(s -> s.arrays().values().stream())
                        .toList());
        UpdateRule rule = plan.rule() instanceof Sgd sgd ? new Statements(sgd) : (UpdateRule) plan.rule();
        int steps = plan.lr().length;
        float[][] scalars = RunState.scalars(rule, steps);
        int width = steps == 0 ? 0 : scalars[0].length;
        String source = CudaArenas.source(rule, width);
        try {
            ByteBuffer table = pieces(plan.strips());
            int count = table.capacity() / TABLE_ROW;
            DevicePointer pieces = put(table);
            DevicePointer control = put(control(plan));
            DevicePointer numbers = put(CudaArenas.table(scalars));
            DevicePointer sums = allocate(new DevicePointer(), 8L * count);
            Kernels kernels = kernels(List.of("step.cu"));
            String name = CudaArenas.fileName(rule);
            int blocks = kernels.blocks(count, 1);
            if (plan.clip() > 0) {
                launches.add(kernels.launch(name, source, "squares", 1)
                        .shape(blocks, 1, 256, 1)
                        .args(sums, pieces, count));
            }
            launches.add(kernels.launch(name, source, "fused", 1)
                    .shape(blocks, 1, 256, 1)
                    .args(pieces, count, control, numbers, steps, (float) rule.weightDecay(), sums, plan.clip()));
            launches.add(kernels.launch("step.cu", "tick").args(control));
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    /** SGD as statements, for the one kernel that takes any rule. */
    private record Statements(Sgd sgd) implements UpdateRule {
        @Override
        public String name() {
            return "sgd";
        }

        @Override
        public int moments() {
            return 1;
        }

        @Override
        public double weightDecay() {
            return sgd.weightDecay();
        }

        @Override
        public void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String cuda() {
            String mu = Float.toHexString((float) sgd.momentum()) + "f";
            String direction = sgd.nesterov() ? "(d + " + mu + " * m)" : "m";
            return "const float d = g + wd * w; m = " + mu + " * m + d; w = w - lr * " + direction + ";";
        }
    }

    private static ByteBuffer control(Plan plan) {
        return RunState.block(plan.lr(), plan.alpha(), plan.pull()).putLong(RunState.STEP, plan.first());
    }

    private static ByteBuffer pieces(List<Strip> strips) {
        List<long[]> rows = new ArrayList<>();
        for (Strip s : strips) for (Strip.Piece piece : s.pieces()) rows.add(row(s, piece));
        return table(TABLE_ROW, rows);
    }

    private static long[] row(Strip s, Strip.Piece piece) {
        long[] row = new long[TABLE_ROW / 8];
        for (Role role : Role.values()) {
            ForeignArrays.Array array = s.arrays().get(role);
            row[role.ordinal()] = array == null ? 0 : array.address() + 4L * piece.from();
        }
        row[Role.values().length] = piece.count();
        row[Role.values().length + 1] = piece.isDecayed() ? 1 : 0;
        return row;
    }

    @Override
    public void run() {
        launches.forEach(Launch::run);
    }
}
