package io.basin.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.JCudaDriver.*;

import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.device.ForeignArrays;
import java.lang.reflect.Constructor;
import java.nio.ByteBuffer;
import java.util.Collection;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;

/**
 * Work in the CUDA context that is current to the calling thread, on a stream of its owner's: JCuda, PyTorch or any other. Needs the
 * driver and NVRTC alone, and owns its kernels and its allocations.
 */
abstract class CudaForeign implements AutoCloseable {
    final Closer undo = new Closer();
    final CUstream stream;
    private final CUdevice device = new CUdevice();

    CudaForeign(long handle, Collection<ForeignArrays.Array> arrays) {
        Cache.showToLoaders();
        Libraries.DRIVER.find();
        Libraries.NVRTC.find();
        Natives.loadDriver();
        stream = stream(handle);
        int status = cuCtxGetDevice(device);
        if (status != 0) {
            throw new DeviceException("cuCtxGetDevice failed: " + Check.driverStatus(status)
                    + ": make your context current to this thread first (cuCtxSetCurrent)");
        }
        arrays.forEach(CudaForeign::requireAllocated);
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

    /** The driver's record of an address: it may not know memory of other kinds than cuMemAlloc's, which is accepted. */
    private static void requireAllocated(ForeignArrays.Array array) {
        DevicePointer base = new DevicePointer();
        long[] bytes = {0};
        int status = cuMemGetAddressRange(base, bytes, new DevicePointer().plus(array.address()));
        long needed = (long) array.count() * array.type().bytes();
        long there = base.value() + bytes[0] - array.address();
        if (status == CUresult.CUDA_SUCCESS && there < needed) {
            throw new IllegalArgumentException("`" + array.name() + "` takes " + needed
                    + " bytes, but its device memory ends " + there + " bytes after its address");
        }
    }

    /** Some files of {@code kernels/}; closing waits for the stream before anything that was made earlier is given up. */
    final Kernels kernels(List<String> files) {
        int architecture = 10 * CudaContext.attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                + CudaContext.attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
        int processors = CudaContext.attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
        Kernels kernels = new Kernels(stream, architecture, processors, files);
        undo.add(kernels);
        undo.add("cuStreamSynchronize", () -> cuStreamSynchronize(stream));
        return kernels;
    }

    final DevicePointer allocate(DevicePointer to, long bytes) {
        Check.driver(cuMemAlloc(to, bytes), "cuMemAlloc");
        undo.add("cuMemFree", () -> cuMemFree(to));
        return to;
    }

    /** Rows of words as a kernel reads them. */
    static ByteBuffer table(int rowBytes, List<long[]> rows) {
        ByteBuffer table = CudaArenas.direct(Math.multiplyExact(rowBytes, rows.size()));
        for (long[] row : rows) for (long word : row) table.putLong(word);
        return table.clear();
    }

    /** A copy of a whole direct buffer. */
    final DevicePointer put(ByteBuffer direct) {
        DevicePointer to = allocate(new DevicePointer(), direct.capacity());
        upload(to, direct, direct.capacity());
        return to;
    }

    /** Waits for the copy's end: it may come later than cuMemcpyHtoD's, and the caller's stream would not wait for it. */
    static void upload(DevicePointer to, ByteBuffer direct, int bytes) {
        Check.driver(cuMemcpyHtoD(to, Pointer.to(direct), bytes), "cuMemcpyHtoD");
        Check.driver(cuStreamSynchronize(null), "cuStreamSynchronize");
    }

    @Override
    public void close() {
        undo.close();
    }
}
