package io.basin.cpu;

import static io.basin.device.RecordedOp.planned;

import io.basin.Nullable;
import io.basin.device.Arenas;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Layer;
import io.basin.device.Layout;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.device.Op;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import io.basin.text.Require;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The processor: oneDNN for everything that has layouts, plain Java for elementwise and small work.
 *
 * <p>OpenMP's settings belong to the calling thread, so each turn begins with setting them. Results depend on the number of
 * threads and on the instruction set in the last bits, and on nothing else.
 */
final class CpuDevice implements Device {
    private final Team team;
    private final Guard guard;
    private final Dnnl dnnl;
    private final WorkerPool crew;
    private final Arenas arenas;
    private final AtomicLong live = new AtomicLong();

    CpuDevice(int threads) {
        Native.load();
        team = Team.of(threads);
        guard = new Guard("the cpu device", team::join);
        dnnl = new Dnnl(guard);
        crew = new WorkerPool(team.size());
        arenas = new CpuArenas(guard, crew, StepKernel.present());
    }

    @Override
    public String describe() {
        int threads = team.size();
        return "CPU, " + threads + (threads == 1 ? " thread" : " threads") + ", oneDNN " + Dnnl.version() + ", "
                + Dnnl.isa();
    }

    @Override
    public boolean isSynchronous() {
        return true;
    }

    @Override
    public boolean supports(Precision precision) {
        return switch (precision) {
            case FP32, STRICT -> true;
            case BF16 -> Dnnl.isa().contains("bf16") || Dnnl.isa().contains("amx");
            case TF32 -> false;
        };
    }

    @Override
    public Guard guard() {
        return guard;
    }

    @Override
    public Memory allocate(long bytes) {
        guard.requireOpen();
        Require.notNegative("bytes", bytes);
        long address = Pages.allocate(bytes);
        if (address == 0) {
            throw new DeviceException("no memory for " + (bytes >> 20) + " MiB; " + (live.get() >> 20)
                    + " MiB are in use: try a smaller `batch`");
        }
        live.addAndGet(bytes);
        return new CpuMemory(this, bytes, address);
    }

    void freed(long bytes) {
        live.addAndGet(-bytes);
    }

    @Override
    public long liveBytes() {
        return live.get();
    }

    @Override
    public void upload(Memory to, long offset, ByteBuffer from) {
        guard.run(() -> CpuMemory.bytes(to, offset, from.remaining()).put(from.duplicate()));
    }

    @Override
    public void download(Memory from, long offset, ByteBuffer to) {
        guard.run(() -> to.duplicate().put(CpuMemory.bytes(from, offset, to.remaining())));
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
        guard.run(() -> {
            for (long at = 0; at < from.bytes(); at += 1 << 30) {
                long n = Math.min(1 << 30, from.bytes() - at);
                CpuMemory.bytes(to, at, n).put(CpuMemory.bytes(from, at, n));
            }
        });
    }

    @Override
    public void pack(FloatBuffer logical, @Nullable Layout layout, Memory arena, long offset) {
        guard.run(() -> CpuLayout.pack(dnnl, logical, layout, arena, offset));
    }

    @Override
    public void unpack(Memory arena, long offset, @Nullable Layout layout, FloatBuffer logical) {
        guard.run(() -> CpuLayout.unpack(dnnl, arena, offset, layout, logical));
    }

    @Override
    public Device.Recording record(Runnable work) {
        guard.requireOpen();
        Guard recording = guard.of("the recording");
        return new Device.Recording() {
            @Override
            public void replay() {
                recording.run(work);
            }

            @Override
            public void close() {
                recording.close(() -> {});
            }
        };
    }

    @Override
    public Op.Batch batch(PlanContext scope, BatchReader spec, Images images, RunState control) {
        return planned(scope, guard, images.sample(), () -> new CpuBatch(dnnl, crew, scope, spec, images, control));
    }

    @Override
    public Op plan(PlanContext scope, Layer layer, List<Tensor> inputs, long seed, @Nullable RunState control) {
        return planned(scope, guard, inputs.get(0).shape(), () -> layer(scope, layer, inputs, seed, control));
    }

    private Op layer(PlanContext scope, Layer layer, List<Tensor> inputs, long seed, @Nullable RunState control) {
        Tensor x = inputs.get(0);
        Tensor y = inputs.size() > 1 ? inputs.get(1) : null;
        if (layer instanceof Layer.Conv s) return new CpuConv(dnnl, scope, s, x, y);
        if (layer instanceof Layer.BatchNorm s) return new CpuBatchNorm(dnnl, scope, s, x, y);
        if (layer instanceof Layer.GroupNorm s) return new CpuGroupNorm(dnnl, scope, s, x);
        if (layer instanceof Layer.Dense s) return new CpuDense(dnnl, scope, s, x);
        if (layer instanceof Layer.Pool s) return new CpuPool(dnnl, scope, s, x);
        if (layer instanceof Layer.Relu) return CpuPointwise.relu(dnnl, scope, x);
        if (layer instanceof Layer.Add) return CpuPointwise.add(dnnl, scope, x, inputs.get(1));
        if (layer instanceof Layer.Concat) return CpuPointwise.concat(dnnl, scope, inputs);
        if (layer instanceof Layer.Dropout s)
            return CpuPointwise.dropout(dnnl, scope, s, x, seed, Objects.requireNonNull(control));
        return CpuPointwise.map(dnnl, scope, ((Layer.Pointwise) layer).function(), x);
    }

    @Override
    public Op fork(PlanContext scope, Tensor x, List<Tensor> branches) {
        return planned(scope, guard, x.shape(), () -> CpuPointwise.fork(dnnl, scope, x, branches));
    }

    @Override
    public Op loss(PlanContext scope, Loss spec, Tensor logits, Slot labels, RunState control) {
        return planned(scope, guard, logits.shape(), () -> CpuLoss.of(dnnl, scope, spec, logits, labels, control));
    }

    @Override
    public Arenas arenas() {
        return arenas;
    }

    @Override
    public void close() {
        guard.close(crew::close);
    }
}
