package io.basin.cpu;

import io.basin.device.Arenas;
import io.basin.device.AsyncRead;
import io.basin.device.BatchNormOp;
import io.basin.device.BatchOp;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Elementwise;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Layer;
import io.basin.device.Layout;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.device.Op;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.Recording;
import io.basin.device.RunState;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Supplier;

/**
 * The processor: oneDNN for everything that has layouts, plain Java for what is elementwise or small.
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
        arenas = new CpuArenas(guard, crew);
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
            case FP32 -> true;
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
        long address = Native.allocate(bytes);
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
    public AsyncRead read(Memory from, long offset, int bytes) {
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
    public void pack(FloatBuffer logical, Layout layout, Memory arena, long offset) {
        guard.run(() -> Packer.pack(dnnl, logical, layout, arena, offset));
    }

    @Override
    public void unpack(Memory arena, long offset, Layout layout, FloatBuffer logical) {
        guard.run(() -> Packer.unpack(dnnl, arena, offset, layout, logical));
    }

    @Override
    public Recording record(Runnable work) {
        guard.requireOpen();
        Guard recording = guard.of("the recording");
        return new Recording() {
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

    /** oneDNN says little when it refuses a layer; the layer's name is what the user can act on. */
    private <T> T planned(PlanContext scope, Supplier<T> plan) {
        guard.requireOpen();
        try {
            return guard.get(plan);
        } catch (IllegalArgumentException | IllegalStateException | DeviceException e) {
            throw e;
        } catch (RuntimeException e) {
            throw new DeviceException(scope.path() + ": oneDNN cannot plan this layer: " + e.getMessage(), e);
        }
    }

    @Override
    public BatchOp batch(PlanContext scope, BatchReader spec, Images images, RunState control) {
        return planned(scope, () -> new CpuBatch(dnnl, crew, scope, spec, images, control));
    }

    @Override
    public Op conv(PlanContext scope, Layer.Conv spec, Tensor x, Tensor residual) {
        return planned(scope, () -> new CpuConv(dnnl, scope, spec, x, residual));
    }

    @Override
    public BatchNormOp batchNorm(PlanContext scope, Layer.BatchNorm spec, Tensor x, Tensor residual) {
        return planned(scope, () -> new CpuBatchNorm(dnnl, scope, spec, x, residual));
    }

    @Override
    public Op dense(PlanContext scope, Layer.Dense spec, Tensor x) {
        return planned(scope, () -> new CpuDense(dnnl, scope, spec, x));
    }

    @Override
    public Op pool(PlanContext scope, Layer.Pool spec, Tensor x) {
        return planned(scope, () -> new CpuPool(dnnl, scope, spec, x));
    }

    @Override
    public Op relu(PlanContext scope, Tensor x) {
        return planned(scope, () -> CpuPointwise.relu(dnnl, scope, x));
    }

    @Override
    public Op add(PlanContext scope, Tensor a, Tensor b) {
        return planned(scope, () -> CpuPointwise.add(dnnl, scope, a, b));
    }

    @Override
    public Op fork(PlanContext scope, Tensor x, List<Tensor> branches) {
        return planned(scope, () -> CpuPointwise.fork(dnnl, scope, x, branches));
    }

    @Override
    public Op dropout(PlanContext scope, Layer.Dropout spec, Tensor x, long seed, RunState control) {
        return planned(scope, () -> CpuPlain.dropout(dnnl, scope, spec, x, seed, control));
    }

    @Override
    public Op elementwise(PlanContext scope, Elementwise function, Tensor x) {
        return planned(scope, () -> CpuPlain.map(dnnl, scope, function, x));
    }

    @Override
    public Op loss(PlanContext scope, Loss spec, Tensor logits, Slot labels, RunState control) {
        return planned(scope, () -> CpuLoss.of(dnnl, scope, spec, logits, labels, control));
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
