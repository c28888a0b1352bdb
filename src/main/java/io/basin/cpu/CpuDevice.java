package io.basin.cpu;

import io.basin.device.BatchOp;
import io.basin.device.Coefficients;
import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Elementwise;
import io.basin.device.Guard;
import io.basin.device.Images;
import io.basin.device.Layout;
import io.basin.device.Memory;
import io.basin.device.Norm;
import io.basin.device.Op;
import io.basin.device.Precision;
import io.basin.device.Reach;
import io.basin.device.Reading;
import io.basin.device.Recording;
import io.basin.device.Scope;
import io.basin.device.Slot;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Tally;
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
    private final Crew crew;
    private final AtomicLong live = new AtomicLong();

    CpuDevice(int threads) {
        Native.load();
        team = Team.of(threads);
        guard = new Guard("the cpu device", team::join);
        dnnl = new Dnnl(guard);
        crew = new Crew(team.size());
    }

    @Override
    public String describe() {
        int threads = team.size();
        return "CPU, " + threads + (threads == 1 ? " thread" : " threads") + ", oneDNN " + Dnnl.version() + ", "
                + Dnnl.isa();
    }

    @Override
    public boolean immediate() {
        return true;
    }

    @Override
    public boolean computes(Precision precision) {
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
                    + " MiB are in use: try a smaller --batch-size");
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
        guard.run(() -> ((CpuMemory) to).bytes(offset, from.remaining()).put(from.duplicate()));
    }

    @Override
    public void download(Memory from, long offset, ByteBuffer to) {
        guard.run(() -> to.duplicate().put(((CpuMemory) from).bytes(offset, to.remaining())));
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
        guard.run(() -> {
            for (long at = 0; at < from.bytes(); at += 1 << 30) {
                long n = Math.min(1 << 30, from.bytes() - at);
                ((CpuMemory) to).bytes(at, n).put(((CpuMemory) from).bytes(at, n));
            }
        });
    }

    @Override
    public void pack(FloatBuffer logical, Layout layout, Memory arena, long offset) {
        guard.run(() -> Packer.pack(dnnl, logical, layout, (CpuMemory) arena, offset));
    }

    @Override
    public void unpack(Memory arena, long offset, Layout layout, FloatBuffer logical) {
        guard.run(() -> Packer.unpack(dnnl, (CpuMemory) arena, offset, layout, logical));
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
    private <T> T planned(Scope scope, Supplier<T> plan) {
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
    public BatchOp batch(Scope scope, Spec.Batch spec, Images images, Control control) {
        return planned(scope, () -> new CpuBatch(dnnl, crew, scope, spec, images, control));
    }

    @Override
    public Op conv(Scope scope, Spec.Conv spec, Tensor x, Tensor residual) {
        return planned(scope, () -> new CpuConv(dnnl, scope, spec, x, residual));
    }

    @Override
    public Norm norm(Scope scope, Spec.Norm spec, Tensor x) {
        return planned(scope, () -> new CpuNorm(dnnl, scope, spec, x));
    }

    @Override
    public Op dense(Scope scope, Spec.Dense spec, Tensor x) {
        return planned(scope, () -> new CpuDense(dnnl, scope, spec, x));
    }

    @Override
    public Op pool(Scope scope, Spec.Pool spec, Tensor x) {
        return planned(scope, () -> new CpuPool(dnnl, scope, spec, x));
    }

    @Override
    public Op relu(Scope scope, Tensor x) {
        return planned(scope, () -> CpuPointwise.relu(dnnl, scope, x));
    }

    @Override
    public Op add(Scope scope, Tensor a, Tensor b) {
        return planned(scope, () -> CpuPointwise.add(dnnl, scope, a, b));
    }

    @Override
    public Op fork(Scope scope, Tensor x, List<Tensor> branches) {
        return planned(scope, () -> CpuPointwise.fork(dnnl, scope, x, branches));
    }

    @Override
    public Op dropout(Scope scope, Spec.Dropout spec, Tensor x, long seed, Control control) {
        return planned(scope, () -> CpuPlain.dropout(dnnl, scope, spec, x, seed, control));
    }

    @Override
    public Op map(Scope scope, Elementwise function, Tensor x) {
        return planned(scope, () -> CpuPlain.map(dnnl, scope, function, x));
    }

    @Override
    public Op loss(Scope scope, Spec.Loss spec, Tensor logits, Slot labels, Control control) {
        return planned(scope, () -> new CpuLoss(dnnl, scope, spec, logits, labels, control));
    }

    @Override
    public Runnable step(Spec.Step spec, Storage storage, Control control) {
        return turns("step", Reach.ofStep(storage, control), new CpuStep(crew, spec, storage, control));
    }

    @Override
    public Runnable combine(List<Memory> points, Coefficients c, Memory to) {
        return turns("combine", Reach.ofCombination(points, c, to), new CpuCombine(crew, points, c, to));
    }

    @Override
    public Runnable bend(
            Spec.Step spec, Storage storage, Memory point, Memory momentum, Coefficients c, int j, Control control) {
        Reach reach = Reach.ofBend(storage, point, momentum, c, control);
        return turns("bend", reach, new CpuBend(crew, spec, storage, point, momentum, c, j, control));
    }

    @Override
    public Tally tally(int rows, int classes) {
        return guard.get(() -> new CpuTally(guard, rows, classes));
    }

    @Override
    public Runnable tick(Control control) {
        ByteBuffer counters = ((CpuMemory) control.memory()).bytes(0, Control.TABLES);
        Reach reach = new Reach().add("the control block", control.memory());
        return turns("tick", reach, () -> counters.putLong(Control.STEP, counters.getLong(Control.STEP) + 1));
    }

    private Runnable turns(String name, Reach reach, Runnable work) {
        Runnable checked = () -> {
            reach.requireOpen(name);
            work.run();
        };
        return () -> guard.run(checked);
    }

    @Override
    public void close() {
        guard.close(crew::close);
    }
}
