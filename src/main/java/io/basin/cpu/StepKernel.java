package io.basin.cpu;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import io.basin.Nullable;
import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.io.AtomicFile;
import io.basin.io.Sha256;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The functions of {@code kernels/step.c}, which has their formulas, on addresses; any thread may call. Where the jar does not carry
 * them, or they cannot be loaded, plain Java does the same, bit for bit.
 */
final class StepKernel {
    private static final Logger LOG = LoggerFactory.getLogger(StepKernel.class);
    private static final String RESOURCE = "/io/basin/kernels/linux-x86_64/libbasinstep.so";
    private static final String[] PROCESSORS = {"any x86-64", "AVX2", "AVX-512"};
    /** Bytes of an array that no cache holds. */
    private static final long LARGE = 64L << 20;

    /** Why they are not there, or null. */
    private static final @Nullable String MISSING = load(RESOURCE);

    private StepKernel() {}

    static boolean present() {
        return MISSING == null;
    }

    /** For people: the code that passes over arenas run in. */
    static String describe() {
        return MISSING == null ? "C, for " + PROCESSORS[basin_level()] : "plain Java, for " + MISSING;
    }

    /** Whether what is only written had better go past the caches, as C takes it. */
    static int large(long bytes) {
        return bytes >= LARGE ? 1 : 0;
    }

    /** Null, or why the functions of that resource cannot be called. */
    static @Nullable String load(String resource) {
        try (InputStream in = StepKernel.class.getResourceAsStream(resource)) {
            if (in == null) return "this build has no C kernel: install a C compiler and build again";
            byte[] library = in.readAllBytes();
            Path file = Cache.executable("native").resolve("libbasinstep-" + Sha256.of(library) + ".so");
            if (!Files.exists(file) || !Arrays.equals(library, Files.readAllBytes(file))) {
                AtomicFile.write(file, library);
            }
            Cache.showToLoaders();
            Native.register(StepKernel.class, NativeLibrary.getInstance(file.toString()));
            return null;
        } catch (IOException | UncheckedIOException | DeviceException | LinkageError e) {
            LOG.info("{} is not loaded", resource, e);
            return "the C kernel cannot be loaded: " + Reason.of(e);
        }
    }

    static native int basin_level();

    static native void basin_step(
            long p,
            long v,
            long w,
            long g,
            long a,
            long s,
            long n,
            float c,
            float mu,
            float wd,
            float lr,
            float alpha,
            float pull,
            float f,
            int nesterov,
            int decoupled);

    static native void basin_adamw(
            long w,
            long g,
            long m,
            long v,
            long a,
            long s,
            long n,
            float b1,
            float r1,
            float b2,
            float r2,
            float eps,
            float decay,
            float rate,
            float scale,
            float alpha,
            float pull,
            float f);

    /** Writes one double to {@code sum}. */
    static native void basin_squares(long g, long n, long sum);

    /** Of elements {@code from} to {@code from + n - 1}; {@code points} is the address of addresses, {@code c} that of floats. */
    static native void basin_combine(long to, long points, long c, int count, long from, long n, int large);

    static native void basin_pass(int number, int type, long w, long x, long y, long n, float p, float q, int large);
}
