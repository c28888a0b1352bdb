package io.basin.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;

/**
 * The oracle: every operation of the seam as naive loops over doubles, straight from its formula. Its gradients are
 * written by hand and checked by finite differences.
 */
public final class ReferenceDevice implements Device {
    /** Row-major; a double stands where a float32 would. */
    record Plain(long elements) implements Layout {
        @Override
        public long bytes() {
            return 4 * elements;
        }
    }

    private final Guard guard = new Guard("the reference device", () -> {});
    private long live;

    @Override
    public Guard guard() {
        return guard;
    }

    @Override
    public String describe() {
        return "reference, double precision";
    }

    @Override
    public boolean immediate() {
        return true;
    }

    @Override
    public boolean computes(Precision precision) {
        return true;
    }

    @Override
    public Memory allocate(long bytes) {
        live += bytes;
        return new ReferenceMemory(this, bytes);
    }

    void freed(long bytes) {
        live -= bytes;
    }

    @Override
    public long liveBytes() {
        return live;
    }

    @Override
    public void upload(Memory to, long offset, ByteBuffer from) {
        int at = Math.toIntExact(offset);
        ((ReferenceMemory) to).raw().put(at, from, from.position(), from.remaining());
    }

    @Override
    public void download(Memory from, long offset, ByteBuffer to) {
        int at = Math.toIntExact(offset);
        to.put(to.position(), ((ReferenceMemory) from).raw(), at, to.remaining());
    }

    @Override
    public Reading read(Memory from, long offset, int bytes) {
        ByteBuffer read = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
        download(from, offset, read);
        return () -> read;
    }

    @Override
    public void copy(Memory from, Memory to) {
        if (from.bytes() != to.bytes()) throw new IllegalArgumentException("copies need equal sizes");
        ((ReferenceMemory) from).copyTo((ReferenceMemory) to);
    }

    @Override
    public void pack(FloatBuffer logical, Layout layout, Memory arena, long offset) {
        double[] cells = ((ReferenceMemory) arena).values();
        int at = Math.toIntExact(offset / 4);
        for (int i = 0; i < logical.remaining(); i++) cells[at + i] = logical.get(logical.position() + i);
    }

    @Override
    public void unpack(Memory arena, long offset, Layout layout, FloatBuffer logical) {
        double[] cells = ((ReferenceMemory) arena).values();
        int at = Math.toIntExact(offset / 4);
        for (int i = 0; i < logical.remaining(); i++) logical.put(logical.position() + i, (float) cells[at + i]);
    }

    @Override
    public Recording record(Runnable work) {
        return new Recording() {
            @Override
            public void replay() {
                work.run();
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public BatchOp batch(Scope scope, Spec.Batch spec, Images images, Control control) {
        return new ReferenceBatch(scope, spec, images, control);
    }

    @Override
    public Op conv(Scope scope, Spec.Conv spec, Tensor x, Tensor residual) {
        return new ReferenceConv(scope, spec, x, residual);
    }

    @Override
    public Norm norm(Scope scope, Spec.Norm spec, Tensor x) {
        return new ReferenceNorm(scope, spec, x);
    }

    @Override
    public Op dense(Scope scope, Spec.Dense spec, Tensor x) {
        return new ReferenceDense(scope, spec, x);
    }

    @Override
    public Op pool(Scope scope, Spec.Pool spec, Tensor x) {
        return new ReferencePool(scope, spec, x);
    }

    @Override
    public Op relu(Scope scope, Tensor x) {
        return ReferencePointwise.relu(scope, x);
    }

    @Override
    public Op add(Scope scope, Tensor a, Tensor b) {
        return ReferencePointwise.add(scope, a, b);
    }

    @Override
    public Op fork(Scope scope, Tensor x, List<Tensor> branches) {
        return ReferencePointwise.fork(scope, x, branches);
    }

    @Override
    public Op dropout(Scope scope, Spec.Dropout spec, Tensor x, long seed, Control control) {
        return ReferencePointwise.dropout(scope, spec, x, seed, control);
    }

    @Override
    public Op map(Scope scope, Elementwise function, Tensor x) {
        return ReferencePointwise.map(scope, function, x);
    }

    @Override
    public Op loss(Scope scope, Spec.Loss spec, Tensor logits, Slot labels, Control control) {
        return new ReferenceLoss(scope, spec, logits, labels, control);
    }

    @Override
    public Runnable step(Spec.Step spec, Storage storage, Control control) {
        return () -> update(spec, storage, control);
    }

    private static double[] cells(Storage storage, Arena arena) {
        return ((ReferenceMemory) storage.memory(arena)).values();
    }

    private static void update(Spec.Step spec, Storage storage, Control control) {
        ByteBuffer tables = ((ReferenceMemory) control.memory()).raw();
        if (tables.getLong(Control.BROKEN) != 0) return;
        long t = tables.getLong(Control.STEP);
        double lr = tables.getFloat(Math.toIntExact(control.rate(t)));
        double alpha = tables.getFloat(Math.toIntExact(control.rate(t) + 4L * control.steps()));
        double[] w = cells(storage, Arena.PARAMS);
        double[] g = cells(storage, Arena.GRADS);
        double[] v = cells(storage, Arena.MOMENTUM);
        double[] a = cells(storage, Arena.AVERAGE);
        for (int i = 0; i < w.length; i++) {
            double d = g[i] + (4L * i < storage.splitBytes() ? spec.weightDecay() : 0) * w[i];
            v[i] = spec.momentum() * v[i] + d;
            w[i] -= lr * (spec.nesterov() ? d + spec.momentum() * v[i] : v[i]);
            if (alpha != 0) a[i] += alpha * (w[i] - a[i]);
        }
    }

    @Override
    public Runnable combine(List<Memory> points, Coefficients c, Memory to) {
        c.requireCombination(points, to);
        return () -> ReferenceArenas.combine(points, c, to);
    }

    @Override
    public Runnable bend(
            Spec.Step spec, Storage storage, Memory point, Memory momentum, Coefficients c, int j, Control control) {
        c.requireBend(j, point, momentum, storage);
        return () -> ReferenceArenas.bend(spec, storage, point, momentum, ReferenceArenas.c(c, j), control);
    }

    @Override
    public Tally tally(int rows, int classes) {
        return new ReferenceTally(rows, classes);
    }

    @Override
    public Runnable tick(Control control) {
        ByteBuffer counters = ((ReferenceMemory) control.memory()).raw();
        return () -> counters.putLong(Control.STEP, counters.getLong(Control.STEP) + 1);
    }

    @Override
    public void close() {}
}
