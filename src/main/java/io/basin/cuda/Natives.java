package io.basin.cuda;

import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.io.AtomicFile;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import jcuda.JCudaVersion;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcudnn.JCudnn;
import jcuda.nvrtc.JNvrtc;

/**
 * Loads JCuda's native halves.
 *
 * <p>JCuda unpacks them into the temporary folder under fixed names and never overwrites: a file that another user or another
 * version put there first would be loaded. So they are unpacked here, byte for byte as in the jar, into a folder that only this
 * user may write, which JCuda is shown as the temporary one for the moment of loading. They ask for CUDA 12's libraries by name; where
 * CUDA 13's were found, whose functions that are called here are the same, they ask for those instead.
 */
final class Natives {
    private static final String TEMPORARY = "java.io.tmpdir";
    private static boolean loaded;

    private Natives() {}

    /** Cheap after the first time. The vendor's libraries have to be there: see {@link Libraries}. */
    static synchronized void load() {
        if (loaded) return;
        loadDriver();
        JCudaDriver.setExceptionsEnabled(false);
        JNvrtc.setExceptionsEnabled(false);
        load("JCublas2", Libraries.CUBLAS, () -> {
            JCublas2.setExceptionsEnabled(false);
            JCublas2.initialize();
        });
        load("JCudnn", Libraries.CUDNN, () -> {
            JCudnn.setExceptionsEnabled(false);
            JCudnn.initialize();
        });
        loaded = true;
    }

    /** Those of the driver and of NVRTC alone; the calling program's choice about JCuda's exceptions stays. */
    static synchronized void loadDriver() {
        load(
                "JCudaDriver",
                Libraries.DRIVER,
                () -> Check.driver(JCudaDriver.cuDriverGetVersion(new int[1]), "cuDriverGetVersion"));
        load("JNvrtc", Libraries.NVRTC, () -> Check.nvrtc(JNvrtc.nvrtcVersion(new int[1], new int[1]), "nvrtcVersion"));
    }

    private static void load(String half, Library library, Runnable touch) {
        String found = library.find().soname();
        Path folder = Cache.executable(found.equals(library.soname()) ? "natives" : "natives-" + Library.major(found));
        unpack(folder, "lib" + half + "-" + JCudaVersion.get() + "-linux-x86_64.so", library.soname(), found);
        String before = System.getProperty(TEMPORARY);
        System.setProperty(TEMPORARY, folder.toString());
        try {
            touch.run();
        } catch (UnsatisfiedLinkError | ExceptionInInitializerError | NoClassDefFoundError e) {
            throw new DeviceException("JCuda's native code cannot be loaded from " + folder + ": " + firstLine(e), e);
        } finally {
            System.setProperty(TEMPORARY, before);
        }
    }

    private static String firstLine(Throwable e) {
        return String.valueOf(e.getMessage()).lines().findFirst().orElse(e.toString());
    }

    private static void unpack(Path folder, String name, String asked, String found) {
        Path file = folder.resolve(name);
        try (InputStream in = Natives.class.getResourceAsStream("/lib/" + name)) {
            if (in == null) throw new DeviceException("the class path lacks " + name + ", a part of JCuda");
            byte[] bytes = Elf.renamed(in.readAllBytes(), asked, found);
            boolean same = Files.exists(file) && Arrays.equals(bytes, Files.readAllBytes(file));
            if (!same) AtomicFile.write(file, bytes);
        } catch (IOException | UncheckedIOException e) {
            throw new DeviceException("cannot unpack " + name + ": " + Reason.of(e), e);
        }
    }
}
