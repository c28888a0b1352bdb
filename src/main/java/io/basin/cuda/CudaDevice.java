package io.basin.cuda;

import static jcuda.driver.JCudaDriver.*;

import io.basin.device.BatchOp;
import io.basin.device.Coefficients;
import io.basin.device.Control;
import io.basin.device.Demand;
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
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Tally;
import io.basin.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import jcuda.jcudnn.JCudnn;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A GPU of NVIDIA's: cuDNN for convolutions, norms and pools, cuBLAS for dense layers, our own kernels for the rest.
 *
 * <p>A context is current to a thread, so each turn begins with making it that. All work and all copies are ordered on one
 * stream. Closing the device frees what is left on it: afterwards its memory is closed too.
 */
final class CudaDevice implements Device {
    private static final Logger LOG = LoggerFactory.getLogger(CudaDevice.class);

    private final Undo undo = new Undo();
    private final CudaContext context;
    private final Staging staging;
    private final Readings readings;
    private final Kernels kernels;
    private final Algorithms algorithms;
    private final Guard guard;
    /** Memory and recordings that were made and not closed. */
    private final Set<AutoCloseable> made = Collections.newSetFromMap(new IdentityHashMap<>());
    /** What a capture in progress has taken in so far, else null. */
    private Reach captured;

    private long live;
    private DeviceException owed;

    CudaDevice() {
        try {
            context = new CudaContext();
            undo.add(context);
            guard = new Guard("the cuda device", context::enter);
            staging = new Staging(context);
            undo.add(staging);
            readings = new Readings(context);
            undo.add(readings);
            kernels = new Kernels(context);
            undo.add(kernels);
            algorithms = new Algorithms(context.name, Long.toString(JCudnn.cudnnGetVersion()));
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

    private Runnable turns(String name, Reach reach, Runnable work) {
        Runnable checked = () -> {
            require(reach, name);
            work.run();
        };
        return () -> guard.run(checked);
    }

    CudaContext context() {
        return context;
    }

    Kernels kernels() {
        return kernels;
    }

    boolean software() {
        return context.software();
    }

    Algorithms algorithms() {
        return algorithms;
    }

    @Override
    public String describe() {
        return "CUDA, " + context.title() + ", compute capability " + context.major + "." + context.minor + ", "
                + context.multiprocessors + " multiprocessors";
    }

    @Override
    public boolean immediate() {
        return false;
    }

    @Override
    public boolean computes(Precision precision) {
        return precision == Precision.FP32 || precision == Precision.TF32 && context.hasTf32();
    }

    @Override
    public void expect(Demand demand) {
        long free = guard.get(context::memory)[0];
        if (demand.total() <= free) {
            LOG.info("{}, {} are free", demand, Demand.mebibytes(free));
            return;
        }
        int batch = demand.fitting(free);
        throw new DeviceException("the plan needs " + demand + ", which is " + Demand.mebibytes(demand.total() - free)
                + " more than is free: "
                + (batch > 0 ? "--batch-size " + batch + " would fit" : "no --batch-size would fit"));
    }

    @Override
    public Memory allocate(long bytes) {
        return guard.get(() -> obtain(bytes));
    }

    private Memory obtain(long bytes) {
        settle();
        Address address = new Address();
        // The driver has no allocation of nothing, which a net without parameters asks for.
        long physical = Math.max(1, bytes);
        int status = cuMemAlloc(address, physical);
        if (status != 0) throw new DeviceException(noMemory(bytes, status));
        live += bytes;
        CudaMemory memory = new CudaMemory(this, bytes, address);
        made.add(memory);
        try {
            Check.driver(cuMemsetD8Async(address, (byte) 0, physical, context.stream), "cuMemsetD8Async");
            return memory;
        } catch (RuntimeException e) {
            memory.close();
            throw e;
        }
    }

    private String noMemory(long bytes, int status) {
        return "cuMemAlloc of " + (bytes >> 20) + " MiB failed: " + Check.driverStatus(status) + "; " + (live >> 20)
                + " MiB are in use: try a smaller --batch-size";
    }

    /**
     * Waits first: what is in flight may still use the memory. Closing goes on whatever fails, so the failure is kept for the
     * next call that can report it.
     */
    void free(CudaMemory memory, Address address) {
        made.remove(memory);
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

    /** Reports what failed where nobody could be told. */
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
            staging.upload(((CudaMemory) to).at(offset, from.remaining()), from);
        });
    }

    @Override
    public void download(Memory from, long offset, ByteBuffer to) {
        guard.run(() -> {
            settle();
            staging.download(((CudaMemory) from).at(offset, to.remaining()), to);
        });
    }

    @Override
    public Reading read(Memory from, long offset, int bytes) {
        Reading reading = guard.get(() -> {
            settle();
            return readings.read(((CudaMemory) from).at(offset, bytes), bytes);
        });
        return () -> guard.get(reading::await);
    }

    @Override
    public void copy(Memory from, Memory to) {
        if (from.bytes() != to.bytes()) throw new IllegalArgumentException("copies need equal sizes");
        guard.run(() -> {
            Address source = ((CudaMemory) from).at(0, from.bytes());
            Address target = ((CudaMemory) to).at(0, to.bytes());
            Check.driver(cuMemcpyDtoDAsync(target, source, from.bytes(), context.stream), "cuMemcpyDtoDAsync");
        });
    }

    @Override
    public void pack(FloatBuffer logical, Layout layout, Memory arena, long offset) {
        ByteBuffer stored = direct(logical.remaining());
        if (layout == null) stored.asFloatBuffer().put(logical.duplicate());
        else CudaLayout.of(layout).pack(logical, stored.asFloatBuffer());
        upload(arena, offset, stored);
    }

    @Override
    public void unpack(Memory arena, long offset, Layout layout, FloatBuffer logical) {
        ByteBuffer stored = direct(logical.remaining());
        download(arena, offset, stored);
        if (layout == null) logical.duplicate().put(stored.asFloatBuffer());
        else CudaLayout.of(layout).unpack(stored.asFloatBuffer(), logical);
    }

    private static ByteBuffer direct(int floats) {
        if (floats > Integer.MAX_VALUE / Float.BYTES) {
            throw new IllegalArgumentException(
                    "a copy between host and device moves at most 2^29 - 1 numbers, not " + floats);
        }
        return ByteBuffer.allocateDirect(Float.BYTES * floats).order(ByteOrder.nativeOrder());
    }

    @Override
    public Recording record(Runnable work) {
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

    void forget(Capture capture) {
        made.remove(capture);
    }

    /** A vendor that refuses a layer says little; the layer's name and what goes into it are what the user can act on. */
    private <T> T planned(Scope scope, Shape input, Supplier<T> plan) {
        try {
            return guard.get(plan);
        } catch (DeviceException e) {
            throw new DeviceException(scope.path() + ": planning failed: " + e.getMessage() + "; " + input, e);
        }
    }

    @Override
    public BatchOp batch(Scope scope, Spec.Batch spec, Images images, Control control) {
        return planned(scope, images.sample(), () -> new CudaBatch(this, scope, spec, images, control));
    }

    @Override
    public Op conv(Scope scope, Spec.Conv spec, Tensor x, Tensor residual) {
        return planned(scope, x.shape(), () -> CudaConv.plan(this, scope, spec, x, residual));
    }

    @Override
    public Norm norm(Scope scope, Spec.Norm spec, Tensor x) {
        return planned(scope, x.shape(), () -> CudaNorm.plan(this, scope, spec, x));
    }

    @Override
    public Op dense(Scope scope, Spec.Dense spec, Tensor x) {
        return planned(scope, x.shape(), () -> new CudaDense(this, scope, spec, x));
    }

    @Override
    public Op pool(Scope scope, Spec.Pool spec, Tensor x) {
        return planned(scope, x.shape(), () -> CudaPool.plan(this, scope, spec, x));
    }

    @Override
    public Op relu(Scope scope, Tensor x) {
        return planned(scope, x.shape(), () -> CudaPointwise.relu(this, scope, x));
    }

    @Override
    public Op add(Scope scope, Tensor a, Tensor b) {
        return planned(scope, a.shape(), () -> CudaPointwise.add(this, scope, a, b));
    }

    @Override
    public Op fork(Scope scope, Tensor x, List<Tensor> branches) {
        return planned(scope, x.shape(), () -> CudaPointwise.fork(this, scope, x, branches));
    }

    @Override
    public Op dropout(Scope scope, Spec.Dropout spec, Tensor x, long seed, Control control) {
        return planned(scope, x.shape(), () -> CudaPointwise.dropout(this, scope, spec, x, seed, control));
    }

    @Override
    public Op map(Scope scope, Elementwise function, Tensor x) {
        return planned(scope, x.shape(), () -> CudaPointwise.map(this, scope, function, x));
    }

    @Override
    public Op loss(Scope scope, Spec.Loss spec, Tensor logits, Slot labels, Control control) {
        return planned(scope, logits.shape(), () -> new CudaLoss(this, scope, spec, logits, labels, control));
    }

    /** The whole of a control block, as an argument of kernels. */
    static Place place(Control control) {
        return place(control.memory());
    }

    static Place place(Memory memory) {
        return new Place(((CudaMemory) memory).at(0, memory.bytes()));
    }

    @Override
    public Runnable step(Spec.Step spec, Storage storage, Control control) {
        return guard.get(
                () -> turns("step", Reach.ofStep(storage, control), CudaArenas.step(this, spec, storage, control)));
    }

    @Override
    public Runnable combine(List<Memory> points, Coefficients c, Memory to) {
        return guard.get(
                () -> turns("combine", Reach.ofCombination(points, c, to), CudaArenas.combine(this, points, c, to)));
    }

    @Override
    public Runnable bend(
            Spec.Step spec, Storage storage, Memory point, Memory momentum, Coefficients c, int j, Control control) {
        Reach reach = Reach.ofBend(storage, point, momentum, c, control);
        return guard.get(
                () -> turns("bend", reach, CudaArenas.bend(this, spec, storage, point, momentum, c, j, control)));
    }

    @Override
    public Tally tally(int rows, int classes) {
        return guard.get(() -> new CudaTally(this, rows, classes));
    }

    @Override
    public Runnable tick(Control control) {
        Reach reach = new Reach().add("the control block", control.memory());
        return guard.get(() ->
                turns("tick", reach, new Launch(context, kernels.get("step.cu", "tick"), "tick").arg(place(control))));
    }

    @Override
    public void close() {
        guard.close(() -> {
            Undo rest = new Undo();
            made.forEach(rest::add);
            rest.close();
            undo.close();
        });
    }
}
