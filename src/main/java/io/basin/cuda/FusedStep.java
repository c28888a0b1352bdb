package io.basin.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.JCudaDriver.*;

import io.basin.Api;
import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
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
@Api
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

    private final Closer undo = new Closer();
    private final List<Launch> launches = new ArrayList<>();
    private boolean closed;

    /**
     * Compiles the kernels (or finds them in the cache), uploads the tables and waits for that: do it before a capture begins.
     *
     * @param stream the handle of a CUstream or cudaStream_t of the current context, 0 for the default stream
     * @param lr the rate of each step; steps past the tables' end change nothing
     * @param alpha of each step, as long as {@code lr}: how far the average moves toward the new weights, 0 for not at all
     */
    public FusedStep(long stream, Parameters parameters, Sgd spec, double[] lr, double[] alpha) {
        if (parameters.average == 0 && Arrays.stream(alpha).anyMatch(a -> a != 0)) {
            throw new IllegalArgumentException("average is no address, but alpha says that a step averages");
        }
        ByteBuffer block = RunState.block(lr, alpha);
        load();
        CUstream foreign = stream(stream);
        CUdevice device = currentDevice();
        try {
            // What is in flight when this is closed may still use what it owns: waiting is the first to be undone.
            DevicePointer control = control(foreign, block);
            List<String> files = parameters.moment == 0 ? List.of("step.cu") : List.of("step.cu", "average.cu");
            Kernels kernels = kernels(foreign, device, files);
            undo.add(kernels);
            undo.add("cuStreamSynchronize", () -> cuStreamSynchronize(foreign));
            plan(kernels, parameters, spec, control, lr.length);
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    private void plan(Kernels kernels, Parameters p, Sgd spec, DevicePointer control, int steps) {
        long quads = p.count / 4;
        Launch step = kernels.launch("step.cu", "step", quads)
                .args(p.weights, p.gradients, p.momentum, p.average, control, steps);
        launches.add(CudaArenas.rule(step, spec, 4 * p.count, 4 * p.decayed).args((Object) null));
        if (p.moment != 0) {
            launches.add(kernels.launch("average.cu", "moment", quads)
                    .args(p.moment, p.weights, p.average, control, steps, (int) quads));
        }
        launches.add(kernels.launch("step.cu", "tick").args(control));
    }

    /** Finds and loads the driver's and NVRTC's libraries, which is all that foreign memory needs. */
    static void load() {
        Cache.showToLoaders();
        Libraries.DRIVER.find();
        Libraries.NVRTC.find();
        Natives.loadDriver();
    }

    /** JCuda makes streams from numbers for itself alone: the constructor is not public. */
    static CUstream stream(long handle) {
        try {
            Constructor<CUstream> made = CUstream.class.getDeclaredConstructor(long.class);
            made.setAccessible(true);
            return made.newInstance(handle);
        } catch (ReflectiveOperationException e) {
            throw new DeviceException("this version of JCuda takes no stream of others: " + e.getMessage(), e);
        }
    }

    static CUdevice currentDevice() {
        CUdevice device = new CUdevice();
        int status = cuCtxGetDevice(device);
        if (status != 0) {
            throw new DeviceException("cuCtxGetDevice failed: " + Check.driverStatus(status)
                    + ": make your context current to this thread first (cuCtxSetCurrent)");
        }
        return device;
    }

    /** Some files of {@code kernels/}, for the current context's device. */
    static Kernels kernels(CUstream stream, CUdevice device, List<String> files) {
        int architecture = 10 * CudaContext.attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                + CudaContext.attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        int processors = CudaContext.attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        return new Kernels(stream, architecture, processors, files);
    }

    private DevicePointer control(CUstream stream, ByteBuffer block) {
        int bytes = block.remaining();
        DevicePointer address = new DevicePointer();
        Check.driver(cuMemAlloc(address, bytes), "cuMemAlloc");
        undo.add("cuMemFree", () -> cuMemFree(address));
        // Copies are in the stream's order only from pinned memory.
        try (Pinned pinned = new Pinned(stream, 1, bytes)) {
            pinned.bytes(0, bytes).put(block);
            Check.driver(cuMemcpyHtoDAsync(address, pinned.pointer(0), bytes, stream), "cuMemcpyHtoDAsync");
            Check.driver(cuStreamSynchronize(stream), "cuStreamSynchronize");
        }
        return address;
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
