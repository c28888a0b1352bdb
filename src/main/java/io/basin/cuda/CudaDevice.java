package io.basin.cuda;

import static io.basin.device.RecordedOp.planned;
import static jcuda.driver.JCudaDriver.*;

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
import io.basin.device.MemoryEstimate;
import io.basin.device.Op;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.Reach;
import io.basin.device.RunState;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import io.basin.io.OnFailure;
import io.basin.text.Require;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.function.Supplier;
import jcuda.jcudnn.JCudnn;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * An NVIDIA GPU: cuDNN for convolutions and pools, cuBLAS for dense layers, our own kernels for the rest.
 *
 * <p>A context is current to a thread, so each turn begins with making it that. All work and all copies are ordered on one
 * stream. Closing the device frees what is left on it: afterwards its memory is closed too.
 */
final class CudaDevice implements Device {
    private static final Logger LOG = LoggerFactory.getLogger(CudaDevice.class);

    private final Closer undo = new Closer();
    final CudaContext context;
    private final Staging staging;
    final Kernels kernels;
    final Algorithms algorithms;
    private final Guard guard;
    private final Arenas arenas;
    /** By a convolution's output, while nothing reads it yet: the bias that a batch norm can do without. */
    final Map<Slot, CudaConv.Bias> biases = new HashMap<>();
    /** By the memory of weights: their copy in bfloat16, which follows every change. */
    private final IdentityHashMap<Memory, Memory> copies = new IdentityHashMap<>();
    /** Memory and recordings that were made and not closed. */
    private final Set<AutoCloseable> made = Collections.newSetFromMap(new IdentityHashMap<>());
    /** The work that a capture in progress holds so far, else null. */
    private @Nullable Reach captured;

    private long live;
    private @Nullable DeviceException owed;

    CudaDevice() {
        this(0);
    }

    /** @param number as of {@link CudaContext} */
    CudaDevice(int number) {
        try {
            context = undo.add(new CudaContext(number));
            guard = new Guard("the cuda device", context::enter);
            staging = undo.add(new Staging(context));
            kernels = undo.add(new Kernels(context));
            arenas = new CudaArenas(this);
            algorithms =
                    new Algorithms(context.name, "driver " + context.driver() + " cudnn " + JCudnn.cudnnGetVersion());
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    @Override
    public Guard guard() {
        return guard;
    }

    /** Refuses work on memory that is closed; a recording remembers what its work reaches. */
    void require(Reach reach, String work) {
        reach.requireOpen(work);
        if (captured != null) captured.addAll(reach);
    }

    @Override
    public String describe() {
        return "CUDA, " + context.title() + ", compute capability " + context.major + "." + context.minor + ", "
                + context.multiprocessors + " multiprocessors";
    }

    @Override
    public boolean isSynchronous() {
        return false;
    }

    @Override
    public boolean supports(Precision precision) {
        return switch (precision) {
            case FP32, STRICT -> true;
            case TF32, BF16 -> context.hasTensorCores();
        };
    }

    @Override
    public void checkMemory(MemoryEstimate demand) {
        long free = guard.get(context::memory)[0];
        if (demand.total() <= free) {
            LOG.info("{}, {} are free", demand, MemoryEstimate.mebibytes(free));
            return;
        }
        int batch = demand.fitting(free);
        throw new DeviceException(
                "the plan needs " + demand + ", which is " + MemoryEstimate.mebibytes(demand.total() - free)
                        + " more than is free: "
                        + (batch > 0 ? "`batch` " + batch + " would fit" : "no `batch` would fit"));
    }

    @Override
    public Memory allocate(long bytes) {
        return guard.get(() -> obtain(bytes));
    }

    private Memory obtain(long bytes) {
        Require.notNegative("bytes", bytes);
        settle();
        DevicePointer address = new DevicePointer();
        // A net without parameters asks for 0 bytes, which the driver cannot allocate.
        long physical = Math.max(1, bytes);
        int status = cuMemAlloc(address, physical);
        if (status != 0) {
            String call = "cuMemAlloc of " + (bytes >> 20) + " MiB";
            throw new DeviceException(call + " failed: " + Check.driverStatus(status) + "; " + (live >> 20)
                    + " MiB are in use: try a smaller `batch`");
        }
        live += bytes;
        CudaMemory memory = new CudaMemory(this, bytes, address);
        made.add(memory);
        return OnFailure.close(
                memory,
                m -> Check.driver(cuMemsetD8Async(address, (byte) 0, physical, context.stream), "cuMemsetD8Async"));
    }

    /**
     * Waits first: work in flight may still use the memory. Closing goes on whatever fails, so the failure is kept for the
     * next call that can report it.
     */
    void free(CudaMemory memory, DevicePointer address) {
        made.remove(memory);
        copies.remove(memory);
        copies.values().remove(memory);
        live -= memory.bytes();
        int waited = cuStreamSynchronize(context.stream);
        // A wait also reports what earlier work did wrong, and then has waited for nothing.
        if (waited != 0) cuStreamSynchronize(context.stream);
        int freed = cuMemFree(address);
        if (waited != 0) owe("cuStreamSynchronize", waited);
        if (freed != 0) owe("cuMemFree", freed);
    }

    private void owe(String call, int status) {
        LOG.debug("{} failed while memory was freed: {}", call, Check.driverStatus(status));
        if (owed == null) owed = new DeviceException(call + " failed: " + Check.driverStatus(status));
    }

    /** Throws an earlier failure that could not be reported when it happened. */
    private void settle() {
        if (owed == null) return;
        DeviceException e = owed;
        owed = null;
        throw e;
    }

    @Override
    public long liveBytes() {
        return live;
    }

    @Override
    public void upload(Memory to, long offset, ByteBuffer from) {
        guard.run(() -> {
            settle();
            int bytes = from.remaining();
            staging.upload(CudaMemory.at(to, offset, bytes), from);
            refresh(to, offset, bytes);
        });
    }

    @Override
    public void download(Memory from, long offset, ByteBuffer to) {
        guard.run(() -> {
            settle();
            staging.download(CudaMemory.at(from, offset, to.remaining()), to);
        });
    }

    @Override
    public Supplier<ByteBuffer> read(Memory from, long offset, int bytes) {
        Supplier<ByteBuffer> reading = guard.get(() -> {
            settle();
            return staging.read(CudaMemory.at(from, offset, bytes), bytes);
        });
        return () -> guard.get(reading);
    }

    @Override
    public void copy(Memory from, Memory to) {
        if (from.bytes() != to.bytes()) throw new IllegalArgumentException("copies need equal sizes");
        guard.run(() -> {
            DevicePointer source = CudaMemory.at(from, 0, from.bytes());
            DevicePointer target = CudaMemory.at(to, 0, to.bytes());
            Check.driver(cuMemcpyDtoDAsync(target, source, from.bytes(), context.stream), "cuMemcpyDtoDAsync");
            refresh(to, 0, to.bytes());
        });
    }

    /** Keeps {@code copy} equal to {@code weights} in bfloat16 from now on, after every change. */
    void follow(Memory weights, Memory copy) {
        if (copies.put(weights, copy) != copy) refresh(weights, 0, weights.bytes());
    }

    /** The copy of memory that an update writes too; null for none. */
    @Nullable
    Memory copyOf(Memory weights) {
        return copies.get(weights);
    }

    private void refresh(Memory changed, long offset, long bytes) {
        Memory copy = copies.get(changed);
        if (copy == null || bytes == 0) return;
        long from = offset / Slot.ALIGNMENT * Slot.ALIGNMENT;
        long length = Math.min(changed.bytes(), offset + bytes) - from;
        kernels.launch("pointwise.cu", "narrow", (length + 15) / 16)
                .args(CudaMemory.at(copy, from / 2, length / 2), CudaMemory.at(changed, from, length))
                .args(Math.toIntExact(length / Float.BYTES))
                .run();
    }

    @Override
    public void pack(FloatBuffer logical, @Nullable Layout layout, Memory arena, long offset) {
        upload(arena, offset, CudaLayout.stored(layout, logical));
    }

    @Override
    public void unpack(Memory arena, long offset, @Nullable Layout layout, FloatBuffer logical) {
        ByteBuffer stored = CudaLayout.direct(layout, logical.remaining());
        download(arena, offset, stored);
        CudaLayout.read(layout, stored, logical);
    }

    @Override
    public Device.Recording record(Runnable work) {
        return guard.get(() -> {
            captured = new Reach();
            try {
                Capture capture = new Capture(this, captured, work);
                made.add(capture);
                return capture;
            } finally {
                captured = null;
            }
        });
    }

    @Override
    public double milliseconds(Runnable work) {
        return guard.get(() -> context.milliseconds(work));
    }

    @Override
    public List<String> choices() {
        return guard.get(algorithms::chosen);
    }

    void forget(Capture capture) {
        made.remove(capture);
    }

    @Override
    public Op.Batch batch(PlanContext scope, BatchReader spec, Images images, RunState control) {
        return planned(scope, guard, images.sample(), () -> new CudaBatch(this, scope, spec, images, control));
    }

    @Override
    public Op plan(PlanContext scope, Layer layer, List<Tensor> inputs, long seed, @Nullable RunState control) {
        return planned(scope, guard, inputs.get(0).shape(), () -> layer(scope, layer, inputs, seed, control));
    }

    private Op layer(PlanContext scope, Layer layer, List<Tensor> inputs, long seed, @Nullable RunState control) {
        Tensor x = inputs.get(0);
        Tensor y = inputs.size() > 1 ? inputs.get(1) : null;
        if (layer instanceof Layer.Conv s) return new CudaConv(this, scope, s, x, y);
        if (layer instanceof Layer.BatchNorm s) return new CudaBatchNorm(this, scope, s, x, y);
        if (layer instanceof Layer.GroupNorm s) return new CudaGroupNorm(this, scope, s, x);
        if (layer instanceof Layer.Dense s) return new CudaDense(this, scope, s, x);
        if (layer instanceof Layer.Pool s) return new CudaPool(this, scope, s, x);
        if (layer instanceof Layer.Relu) return CudaPointwise.relu(this, scope, x);
        if (layer instanceof Layer.Add) return CudaPointwise.add(this, scope, x, inputs.get(1));
        if (layer instanceof Layer.Concat) return CudaPointwise.concat(this, scope, inputs);
        if (layer instanceof Layer.Dropout s)
            return CudaPointwise.dropout(this, scope, s, x, seed, Objects.requireNonNull(control));
        return CudaPointwise.map(this, scope, ((Layer.Pointwise) layer).function(), x);
    }

    @Override
    public Op fork(PlanContext scope, Tensor x, List<Tensor> branches) {
        return planned(scope, guard, x.shape(), () -> CudaPointwise.fork(this, scope, x, branches));
    }

    @Override
    public Op loss(PlanContext scope, Loss spec, Tensor logits, Slot labels, RunState control) {
        return planned(scope, guard, logits.shape(), () -> new CudaLoss(this, scope, spec, logits, labels, control));
    }

    @Override
    public Arenas arenas() {
        return arenas;
    }

    @Override
    public void close() {
        guard.close(() -> {
            Closer rest = new Closer();
            made.forEach(rest::add);
            rest.close();
            undo.close();
        });
    }
}
