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
    public boolean isSynchronous() {
        return true;
    }

    @Override
    public boolean supports(Precision precision) {
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
    public AsyncRead read(Memory from, long offset, int bytes) {
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
    public BatchOp batch(PlanContext scope, BatchReader spec, Images images, RunState control) {
        return new ReferenceBatch(scope, spec, images, control);
    }

    @Override
    public Op conv(PlanContext scope, Layer.Conv spec, Tensor x, Tensor residual) {
        return new ReferenceConv(scope, spec, x, residual);
    }

    @Override
    public BatchNormOp batchNorm(PlanContext scope, Layer.BatchNorm spec, Tensor x, Tensor residual) {
        return new ReferenceBatchNorm(scope, spec, x, residual);
    }

    @Override
    public Op dense(PlanContext scope, Layer.Dense spec, Tensor x) {
        return new ReferenceDense(scope, spec, x);
    }

    @Override
    public Op pool(PlanContext scope, Layer.Pool spec, Tensor x) {
        return new ReferencePool(scope, spec, x);
    }

    @Override
    public Op relu(PlanContext scope, Tensor x) {
        return ReferencePointwise.relu(scope, x);
    }

    @Override
    public Op add(PlanContext scope, Tensor a, Tensor b) {
        return ReferencePointwise.add(scope, a, b);
    }

    @Override
    public Op fork(PlanContext scope, Tensor x, List<Tensor> branches) {
        return ReferencePointwise.fork(scope, x, branches);
    }

    @Override
    public Op dropout(PlanContext scope, Layer.Dropout spec, Tensor x, long seed, RunState control) {
        return ReferencePointwise.dropout(scope, spec, x, seed, control);
    }

    @Override
    public Op elementwise(PlanContext scope, Elementwise function, Tensor x) {
        return ReferencePointwise.map(scope, function, x);
    }

    @Override
    public Op loss(PlanContext scope, Loss spec, Tensor logits, Slot labels, RunState control) {
        if (spec instanceof Loss.CrossEntropy s) return new ReferenceLoss(scope, s, logits, labels, control);
        return new ReferenceTargetLoss(scope, spec, logits, labels, control);
    }

    @Override
    public Runnable step(Optimizer optimizer, ParameterStore storage, RunState control) {
        if (optimizer instanceof Sgd sgd) return () -> update(sgd, storage, control);
        return () -> ReferenceArenas.update((UpdateRule) optimizer, storage, control);
    }

    private static double[] cells(ParameterStore storage, Arena arena) {
        return ((ReferenceMemory) storage.memory(arena)).values();
    }

    private static void update(Sgd spec, ParameterStore storage, RunState control) {
        ByteBuffer tables = ((ReferenceMemory) control.memory()).raw();
        if (tables.getLong(RunState.BROKEN) != 0) return;
        long t = tables.getLong(RunState.STEP);
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
    public Runnable weightedSum(List<Memory> points, Coefficients c, Memory to) {
        c.requireCombination(points, to);
        return () -> ReferenceArenas.weightedSum(points, c, to);
    }

    @Override
    public Runnable stepCurvePoint(
            Sgd spec, ParameterStore storage, Memory point, Memory momentum, Coefficients c, int j, RunState control) {
        c.requireBend(j, point, momentum, storage);
        return () -> ReferenceArenas.stepCurvePoint(spec, storage, point, momentum, ReferenceArenas.c(c, j), control);
    }

    @Override
    public PredictionSum tally(int rows, int classes) {
        return new ReferencePredictionSum(rows, classes);
    }

    @Override
    public Runnable advance(RunState control) {
        ByteBuffer counters = ((ReferenceMemory) control.memory()).raw();
        return () -> counters.putLong(RunState.STEP, counters.getLong(RunState.STEP) + 1);
    }

    @Override
    public void close() {}
}
