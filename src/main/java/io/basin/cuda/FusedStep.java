package io.basin.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.JCudaDriver.*;

import io.basin.device.Cache;
import io.basin.device.Control;
import io.basin.device.DeviceException;
import io.basin.device.Spec;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUdevice;
import jcuda.driver.CUstream;

/**
 * The fused update of {@code kernels/step.cu} on memory and on a stream of somebody else's: JCuda's, PyTorch's, anybody's.
 *
 * <p>Momentum, weight decay, the rate of each step and the running average in one pass over the weights, and on request the
 * variance of what was averaged in another (SWAG's diagonal, Maddox et al. 2019); the kernels' headers have the formulas, bit for
 * bit. What changes from step to step lies in tables on the device, so a captured {@link #run} goes on along
 * them at each replay. It works in the CUDA context that is current to the thread that makes it; make it, run it and close it with
 * that context current. It owns a control block (64 + 8 steps bytes) and a module, nothing else: arrays, stream and context stay
 * the caller's and have to outlive it. Needs the driver and NVRTC alone.
 */
public final class FusedStep implements AutoCloseable {
    private static final int QUAD = 16;

    /**
     * Float32 arrays on the device, all of {@code count} elements, by their addresses; none may overlap another.
     *
     * @param weights w, read and written
     * @param gradients g of the loss, read
     * @param momentum v, read and written; zeros before the first step
     * @param average a, read and written where a step averages; 0 where none does
     * @param moment s, the averaged weights' variance, which SWAG draws from; written where a step averages, 0 for none
     * @param count elements of each array, a multiple of 4
     * @param decayed the elements before this index are subject to weight decay, the others are not; a multiple of 4
     */
    public record Parameters(
            long weights, long gradients, long momentum, long average, long moment, long count, long decayed) {
        public Parameters {
            if (count < 1 || count % 4 != 0 || count / 4 > Integer.MAX_VALUE) {
                throw new IllegalArgumentException(
                        "count must be a positive multiple of 4 floats, 16 bytes, got " + count);
            }
            if (decayed < 0 || decayed > count || decayed % 4 != 0) {
                throw new IllegalArgumentException(
                        "decayed must be a multiple of 4 floats, 16 bytes, from 0 to count, got " + decayed);
            }
            if (moment != 0 && average == 0) throw new IllegalArgumentException("moment needs average, got no address");
            long[] arrays = {weights, gradients, momentum, average, moment};
            String[] names = {"weights", "gradients", "momentum", "average", "moment"};
            for (int i = 0; i < arrays.length; i++) {
                boolean absent = arrays[i] == 0 && i >= 3;
                if (!absent && (arrays[i] == 0 || arrays[i] % QUAD != 0)) {
                    throw new IllegalArgumentException(
                            names[i] + " must be an address that is a multiple of 16 bytes, got 0x"
                                    + Long.toHexString(arrays[i]));
                }
                for (int j = 0; j < i && !absent; j++) {
                    if (arrays[j] == 0 || Math.abs(arrays[i] - arrays[j]) >= 4 * count) continue;
                    throw new IllegalArgumentException(names[j] + " and " + names[i] + " overlap");
                }
            }
        }
    }

    private final Undo undo = new Undo();
    private final List<Launch> launches = new ArrayList<>();
    private boolean closed;

    /**
     * Compiles the kernels (or finds them in the cache), uploads the tables and waits for that: do it before a capture begins.
     *
     * @param stream the handle of a CUstream or cudaStream_t of the current context, 0 for the default stream
     * @param lr the rate of each step; steps past the tables' end change nothing
     * @param alpha of each step, as long as {@code lr}: how far the average moves toward the new weights, 0 for not at all
     */
    public FusedStep(long stream, Parameters parameters, Spec.Step spec, double[] lr, double[] alpha) {
        if (parameters.average == 0 && Arrays.stream(alpha).anyMatch(a -> a != 0)) {
            throw new IllegalArgumentException("average is no address, but alpha says that a step averages");
        }
        ByteBuffer tables = Control.tables(lr, alpha);
        Cache.showToLoaders();
        Libraries.DRIVER.find();
        Libraries.NVRTC.find();
        Natives.loadDriver();
        CUstream foreign = stream(stream);
        CUdevice device = currentDevice();
        try {
            // What is in flight when this is closed may still use what it owns: waiting is the first to be undone.
            Place control = control(foreign, tables);
            Kernels kernels = new Kernels(
                    10 * attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                            + attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
                    attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
                    parameters.moment == 0 ? List.of("step.cu") : List.of("step.cu", "average.cu"));
            undo.add(kernels);
            undo.add("cuStreamSynchronize", () -> cuStreamSynchronize(foreign));
            plan(foreign, kernels, parameters, spec, control, lr.length);
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    private void plan(CUstream stream, Kernels kernels, Parameters p, Spec.Step spec, Place control, int steps) {
        int blocks = kernels.blocks(p.count / 4, 256);
        Launch step = new Launch(stream, kernels.get("step.cu", "step"), "step").shape(blocks, 1, 256, 1);
        step.arg(place(p.weights))
                .arg(place(p.gradients))
                .arg(place(p.momentum))
                .arg(place(p.average));
        step.arg(control).arg(steps);
        launches.add(CudaArenas.rule(step, spec, 4 * p.count, 4 * p.decayed));
        if (p.moment != 0) {
            Launch moment = new Launch(stream, kernels.get("average.cu", "moment"), "moment").shape(blocks, 1, 256, 1);
            moment.arg(place(p.moment)).arg(place(p.weights)).arg(place(p.average));
            launches.add(moment.arg(control).arg(steps).arg((int) (p.count / 4)));
        }
        launches.add(new Launch(stream, kernels.get("step.cu", "tick"), "tick").arg(control));
    }

    private static Place place(long address) {
        return new Place(Address.of(address));
    }

    /** JCuda makes streams from numbers for itself alone: the constructor is not public. */
    private static CUstream stream(long handle) {
        try {
            Constructor<CUstream> made = CUstream.class.getDeclaredConstructor(long.class);
            made.setAccessible(true);
            return made.newInstance(handle);
        } catch (ReflectiveOperationException e) {
            throw new DeviceException("this version of JCuda takes no stream of others: " + e.getMessage(), e);
        }
    }

    private static CUdevice currentDevice() {
        CUdevice device = new CUdevice();
        int status = cuCtxGetDevice(device);
        if (status != 0) {
            throw new DeviceException("cuCtxGetDevice failed: " + Check.driverStatus(status)
                    + ": make your context current to this thread first (cuCtxSetCurrent)");
        }
        return device;
    }

    private static int attribute(CUdevice device, int which) {
        int[] value = {0};
        Check.driver(cuDeviceGetAttribute(value, which, device), "cuDeviceGetAttribute");
        return value[0];
    }

    private Place control(CUstream stream, ByteBuffer tables) {
        long bytes = Control.TABLES + (long) tables.remaining();
        Address address = new Address();
        Check.driver(cuMemAlloc(address, bytes), "cuMemAlloc");
        undo.add("cuMemFree", () -> cuMemFree(address));
        // Copies are in the stream's order only from pinned memory.
        Pointer pinned = new Pointer();
        Check.driver(cuMemAllocHost(pinned, bytes), "cuMemAllocHost");
        try {
            ByteBuffer block = pinned.getByteBuffer(0, bytes);
            block.put(new byte[Control.TABLES]).put(tables);
            Check.driver(cuMemcpyHtoDAsync(address, pinned, bytes, stream), "cuMemcpyHtoDAsync");
            Check.driver(cuStreamSynchronize(stream), "cuStreamSynchronize");
        } finally {
            // A wait that failed has waited for nothing, and the copy may still read this.
            cuStreamSynchronize(stream);
            cuMemFreeHost(pinned);
        }
        return new Place(address);
    }

    /** Any thread that has the context current may call. Enqueues the next step on the caller's stream and returns; the gradients have to be there in the stream's order. */
    public synchronized void run() {
        if (closed) throw new IllegalStateException("the step is closed");
        launches.forEach(Launch::run);
    }

    /** Waits for the stream and gives up what it owns; graphs that captured a {@link #run} must not be launched any more. */
    @Override
    public synchronized void close() {
        closed = true;
        undo.close();
    }
}
