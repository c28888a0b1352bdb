package io.basin.device;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.function.Supplier;

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
    public Supplier<ByteBuffer> read(Memory from, long offset, int bytes) {
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
    public Device.Recording record(Runnable work) {
        return new Device.Recording() {
            @Override
            public void replay() {
                work.run();
            }

            @Override
            public void close() {}
        };
    }

    @Override
    public Op.Batch batch(PlanContext scope, BatchReader spec, Images images, RunState control) {
        return new ReferenceBatch(scope, spec, images, control);
    }

    @Override
    public Op plan(PlanContext scope, Layer layer, List<Tensor> inputs, long seed, RunState control) {
        Tensor x = inputs.get(0);
        Tensor y = inputs.size() > 1 ? inputs.get(1) : null;
        if (layer instanceof Layer.Conv s) return new ReferenceConv(scope, s, x, y);
        if (layer instanceof Layer.BatchNorm s) return new ReferenceBatchNorm(scope, s, x, y);
        if (layer instanceof Layer.GroupNorm s) return new ReferenceGroupNorm(scope, s, x);
        if (layer instanceof Layer.Dense s) return new ReferenceDense(scope, s, x);
        if (layer instanceof Layer.Pool s) return new ReferencePool(scope, s, x);
        if (layer instanceof Layer.Relu) return ReferencePointwise.relu(scope, x);
        if (layer instanceof Layer.Add) return ReferencePointwise.add(scope, x, y);
        if (layer instanceof Layer.Concat) return ReferencePointwise.concat(scope, inputs);
        if (layer instanceof Layer.Dropout s) return ReferencePointwise.dropout(scope, s, x, seed, control);
        return ReferencePointwise.map(scope, ((Layer.Pointwise) layer).function(), x);
    }

    @Override
    public Op fork(PlanContext scope, Tensor x, List<Tensor> branches) {
        return ReferencePointwise.fork(scope, x, branches);
    }

    @Override
    public Op loss(PlanContext scope, Loss spec, Tensor logits, Slot labels, RunState control) {
        if (spec instanceof Loss.CrossEntropy s) return new ReferenceLoss(scope, s, logits, labels, control);
        return new ReferenceTargetLoss(scope, spec, logits, labels, control);
    }

    @Override
    public Arenas arenas() {
        return new ReferenceArenas(guard);
    }

    @Override
    public void close() {}
}
