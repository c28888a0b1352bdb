package io.basin.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.CUstream_flags.CU_STREAM_NON_BLOCKING;
import static jcuda.driver.JCudaDriver.*;

import com.sun.jna.Native;
import io.basin.device.DeviceException;
import java.nio.ByteBuffer;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import jcuda.driver.CUevent;
import jcuda.driver.CUstream;
import jcuda.jcublas.JCublas2;
import jcuda.jcublas.cublasHandle;
import jcuda.jcublas.cublasMath;
import jcuda.jcudnn.JCudnn;
import jcuda.jcudnn.cudnnHandle;
import jcuda.runtime.cudaStream_t;

/**
 * A GPU, its primary context, the one stream on which everything is ordered, and the libraries' handles.
 *
 * <p>The primary context, because cuBLAS and cuDNN live there; a non-blocking stream, because the default one cannot be captured.
 * cuBLAS gets its workspace here: left to itself it would allocate during capture.
 */
final class CudaContext implements AutoCloseable {
    /** The name of the tests' software GPU. */
    static final String SOFTWARE = "Basin software GPU";

    /** As NVIDIA recommends from Hopper on; 4 MiB would do before. */
    private static final long CUBLAS_WORKSPACE = 32L << 20;

    /** Products of float32 in float32, those of bfloat16 summed in it to the end, parts of a sum too. */
    private static final int STRICT =
            cublasMath.CUBLAS_DEFAULT_MATH | cublasMath.CUBLAS_MATH_DISALLOW_REDUCED_PRECISION_REDUCTION;

    final CUdevice device = new CUdevice();
    final CUstream stream = new CUstream();
    final cublasHandle cublas = new cublasHandle();
    final cudnnHandle cudnn = new cudnnHandle();
    /** Host constants that library calls take by address. */
    final Pointer one = constant(1);

    final Pointer zero = constant(0);
    final String name;
    final int major;
    final int minor;
    final int multiprocessors;
    /** GPUs that the driver shows this process. */
    final int gpus;

    private final Closer undo = new Closer();
    private final CUcontext context = new CUcontext();

    CudaContext() {
        this(0);
    }

    /** @param number of the GPU among those that the driver shows this process, from 0 */
    CudaContext(int number) {
        try {
            Check.driver(cuInit(0), "cuInit");
            int[] count = {0};
            Check.driver(cuDeviceGetCount(count), "cuDeviceGetCount");
            gpus = count[0];
            if (gpus == 0) throw new DeviceException("the driver sees no GPU: see nvidia-smi");
            requireThere(number, gpus);
            Check.driver(cuDeviceGet(device, number), "cuDeviceGet");
            name = deviceName();
            major = attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR);
            minor = attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR);
            multiprocessors = attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT);
            Check.driver(cuDevicePrimaryCtxRetain(context, device), "cuDevicePrimaryCtxRetain");
            undo.add("cuDevicePrimaryCtxRelease", () -> cuDevicePrimaryCtxRelease(device));
            enter();
            Check.driver(cuStreamCreate(stream, CU_STREAM_NON_BLOCKING), "cuStreamCreate");
            undo.add("cuStreamDestroy", () -> cuStreamDestroy(stream));
            openLibraries();
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    private static void requireThere(int number, int count) {
        if (number < count) return;
        throw new DeviceException("the driver sees " + (count == 1 ? "one GPU" : count + " GPUs") + ", got 'cuda:"
                + number + "': the last is cuda:" + (count - 1) + ", name it or another with `device`");
    }

    /** Makes the context current to the calling thread: each has its own, and other code may have set it. */
    void enter() {
        Check.driver(cuCtxSetCurrent(context), "cuCtxSetCurrent");
    }

    private void openLibraries() {
        cudaStream_t bridge = new cudaStream_t(stream);
        DevicePointer workspace = new DevicePointer();
        Check.driver(cuMemAlloc(workspace, CUBLAS_WORKSPACE), "cuMemAlloc");
        undo.add("cuMemFree", () -> cuMemFree(workspace));
        Check.cublas(JCublas2.cublasCreate(cublas), "cublasCreate");
        undo.add("cublasDestroy", () -> JCublas2.cublasDestroy(cublas));
        Check.cublas(JCublas2.cublasSetStream(cublas, bridge), "cublasSetStream");
        Check.cublas(JCublas2.cublasSetWorkspace(cublas, workspace, CUBLAS_WORKSPACE), "cublasSetWorkspace");
        Check.cublas(JCublas2.cublasSetMathMode(cublas, STRICT), "cublasSetMathMode");
        Check.cudnn(JCudnn.cudnnCreate(cudnn), "cudnnCreate");
        undo.add("cudnnDestroy", () -> JCudnn.cudnnDestroy(cudnn));
        Check.cudnn(JCudnn.cudnnSetStream(cudnn, bridge), "cudnnSetStream");
    }

    private String deviceName() {
        byte[] bytes = new byte[256];
        Check.driver(cuDeviceGetName(bytes, bytes.length, device), "cuDeviceGetName");
        return Native.toString(bytes, "US-ASCII");
    }

    static int attribute(CUdevice device, int which) {
        int[] value = {0};
        Check.driver(cuDeviceGetAttribute(value, which, device), "cuDeviceGetAttribute");
        return value[0];
    }

    private static Pointer constant(float value) {
        ByteBuffer bytes = CudaArenas.direct(4);
        bytes.putFloat(0, value);
        return Pointer.to(bytes);
    }

    /** DevicePointer of a direct buffer, for arguments that hold addresses of others. */
    static long address(ByteBuffer direct) {
        return com.sun.jna.Pointer.nativeValue(Native.getDirectBufferPointer(direct));
    }

    boolean software() {
        return name.startsWith(SOFTWARE);
    }

    /** The device's name as people should read it: never that of hardware that is not there. */
    String title() {
        return software() ? "software GPU (no hardware)" : name;
    }

    /** Those that compute in TF32 and bfloat16: from Ampere on. */
    boolean hasTensorCores() {
        return major >= 8;
    }

    int architecture() {
        return 10 * major + minor;
    }

    /** Bytes free and in all. */
    long[] memory() {
        long[] free = {0};
        long[] total = {0};
        Check.driver(cuMemGetInfo(free, total), "cuMemGetInfo");
        return new long[] {free[0], total[0]};
    }

    /** Milliseconds between the stream's coming to {@code work} and its leaving it; waits. */
    double milliseconds(Runnable work) {
        CUevent[] ends = {new CUevent(), new CUevent()};
        try (Closer made = new Closer()) {
            for (CUevent end : ends) {
                Check.driver(cuEventCreate(end, 0), "cuEventCreate");
                made.add("cuEventDestroy", () -> cuEventDestroy(end));
            }
            Check.driver(cuEventRecord(ends[0], stream), "cuEventRecord");
            work.run();
            Check.driver(cuEventRecord(ends[1], stream), "cuEventRecord");
            Check.driver(cuEventSynchronize(ends[1]), "cuEventSynchronize");
            float[] time = {0};
            Check.driver(cuEventElapsedTime(time, ends[0], ends[1]), "cuEventElapsedTime");
            return time[0];
        }
    }

    /** Of the driver, such as 12060. */
    int driver() {
        int[] version = {0};
        Check.driver(cuDriverGetVersion(version), "cuDriverGetVersion");
        return version[0];
    }

    void synchronize() {
        Check.driver(cuStreamSynchronize(stream), "cuStreamSynchronize");
    }

    @Override
    public void close() {
        undo.close();
    }
}
