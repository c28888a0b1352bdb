package io.basin.cuda;

import static jcuda.driver.JCudaDriver.cuCtxCreate;
import static jcuda.driver.JCudaDriver.cuCtxDestroy;
import static jcuda.driver.JCudaDriver.cuDeviceGet;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Cache;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.stream.Stream;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdevice;
import org.junit.jupiter.api.function.Executable;

/** CUDA as tests find it: the software GPU, or with {@code -Dgpu=real} a real one. What is missing is printed, once. */
public final class Cuda {
    private static String missing;
    private static boolean told;

    private Cuda() {}

    /** Whether the device opens. */
    public static synchronized boolean works() {
        if (missing == null) {
            try (Device device = new CudaProvider().open(1)) {
                missing = device.liveBytes() == 0 ? "" : "memory is in use";
            } catch (DeviceException e) {
                if (expected()) throw e;
                missing = e.getMessage();
                System.out.println("NOT COVERED: what only CUDA does: " + missing);
            }
        }
        return missing.isEmpty();
    }

    /** Calls {@code work}, where CUDA is, in a context that a program of somebody else's would have made. */
    public static void inContext(Runnable work) {
        if (!works()) return;
        CUdevice device = new CUdevice();
        CUcontext context = new CUcontext();
        assertEquals(0, cuDeviceGet(device, 0));
        assertEquals(0, cuCtxCreate(context, 0, device));
        try {
            work.run();
        } finally {
            assertEquals(0, cuCtxDestroy(context));
        }
    }

    /** Whether NVIDIA's own NVRTC compiles for the software GPU. */
    public static boolean compilesByNvidia() {
        Path driver = Libraries.DRIVER.find().path().getParent();
        return !Libraries.NVRTC.find().path().startsWith(driver);
    }

    /** Whether a CUDA device that does not open is a failure, since the software GPU is here or a real one was promised. */
    public static boolean expected() {
        return SoftGpu.present() || "real".equals(System.getProperty("gpu"));
    }

    /**
     * Does {@code work} on a software GPU whose cuDNN is as the words say, in {@code dnn_conv_search.cpp}; algorithms are chosen
     * anew for it, and after it.
     */
    public static void where(String words, Executable work) throws Exception {
        SoftGpu.cudnn(words);
        forgetAlgorithms();
        try {
            work.execute();
        } catch (Exception | Error e) {
            throw e;
        } catch (Throwable e) {
            throw new AssertionError(e);
        } finally {
            SoftGpu.cudnn(null);
            forgetAlgorithms();
        }
    }

    /** Has devices that are opened from now on search for algorithms as if they were the first. */
    public static void forgetAlgorithms() throws IOException {
        try (Stream<Path> files = Files.list(Cache.folder("algorithms"))) {
            for (Path file : files.toList()) Files.deleteIfExists(file);
        }
    }

    /** Whether it is the software GPU, whose counters a test can look at and whose calls it can make fail. */
    public static synchronized boolean software() {
        if (!works()) return false;
        if (!SoftGpu.present() && !told) System.out.println("NOT COVERED on this GPU: counters and planned failures");
        told = true;
        return SoftGpu.present();
    }
}
