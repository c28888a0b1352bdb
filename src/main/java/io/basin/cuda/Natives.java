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
import java.util.List;
import jcuda.JCudaVersion;
import jcuda.driver.JCudaDriver;
import jcuda.jcublas.JCublas2;
import jcuda.jcudnn.JCudnn;
import jcuda.nvrtc.JNvrtc;

/**
 * Loads JCuda's native halves.
 *
 * <p>JCuda unpacks them into the temporary folder under fixed names and never overwrites: whatever another user or another
 * version put there first would be loaded. So they are unpacked here, byte for byte as in the jar, into a folder that only this
 * user may write, which JCuda is shown as the temporary one for the moment of loading.
 */
final class Natives {
    private static final String TEMPORARY = "java.io.tmpdir";
    private static final List<String> DRIVER = List.of("JCudaDriver", "JNvrtc");
    private static final List<String> MATHS = List.of("JCublas2", "JCudnn");
    private static boolean loaded;

    private Natives() {}

    /** Cheap after the first time. The vendor's libraries have to be there: see {@link Libraries}. */
    static synchronized void load() {
        if (loaded) return;
        loadDriver();
        load(MATHS, () -> {
            JCudaDriver.setExceptionsEnabled(false);
            JNvrtc.setExceptionsEnabled(false);
            JCublas2.setExceptionsEnabled(false);
            JCublas2.initialize();
            JCudnn.setExceptionsEnabled(false);
            JCudnn.initialize();
        });
        loaded = true;
    }

    /** Those of the driver and of NVRTC alone; what a program around this one chose about JCuda's exceptions stays. */
    static synchronized void loadDriver() {
        load(DRIVER, () -> {
            Check.driver(JCudaDriver.cuDriverGetVersion(new int[1]), "cuDriverGetVersion");
            Check.nvrtc(JNvrtc.nvrtcVersion(new int[1], new int[1]), "nvrtcVersion");
        });
    }

    private static void load(List<String> names, Runnable touch) {
        Path folder = Cache.executable("natives");
        for (String name : names) unpack(folder, "lib" + name + "-" + JCudaVersion.get() + "-linux-x86_64.so");
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

    private static void unpack(Path folder, String name) {
        Path file = folder.resolve(name);
        try (InputStream in = Natives.class.getResourceAsStream("/lib/" + name)) {
            if (in == null) throw new DeviceException("the class path lacks " + name + ", a part of JCuda");
            byte[] bytes = in.readAllBytes();
            boolean same = Files.exists(file) && Arrays.equals(bytes, Files.readAllBytes(file));
            if (!same) AtomicFile.write(file, bytes);
        } catch (IOException | UncheckedIOException e) {
            throw new DeviceException("cannot unpack " + name + ": " + Reason.of(e), e);
        }
    }
}
