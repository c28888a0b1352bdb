package io.basin.cpu;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import com.sun.jna.Pointer;
import io.basin.device.DeviceException;
import java.io.File;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.opencl.presets.OpenCL;

/**
 * The few calls into libc and libgomp that oneDNN's Java API has no name for.
 *
 * <p>libgomp's threads spin for milliseconds after each parallel region, which keeps the second core from our own
 * threads; without any spinning every primitive pays a wake-up. A spin of some ten microseconds bridges the gap from one
 * primitive to the next and no more. libgomp reads its settings once, when it is loaded, hence the order in here.
 */
final class Native {
    private static final String SPIN_COUNT = "2000";
    private static final long HUGE_PAGE = 2L << 20;
    private static final int MADV_HUGEPAGE = 14;
    private static final NativeLibrary C;
    private static final NativeLibrary GOMP;

    static {
        if (!Platform.isLinux()) throw new DeviceException("the cpu device needs Linux on x86-64");
        passOverVersionOfOpenCl();
        C = NativeLibrary.getInstance("c");
        Function setenv = C.getFunction("setenv");
        if (System.getenv("OMP_WAIT_POLICY") == null) setenv.invokeInt(new Object[] {"GOMP_SPINCOUNT", SPIN_COUNT, 0});
        try {
            String library = Loader.load(dnnl.class);
            GOMP = NativeLibrary.getInstance(new File(new File(library).getParentFile(), "libgomp.so.1").getPath());
        } catch (UnsatisfiedLinkError e) {
            throw new DeviceException("oneDNN's native library cannot be loaded: " + e.getMessage(), e);
        }
    }

    private Native() {}

    /**
     * JavaCPP warns on stderr about the version of opencl, which oneDNN's class loading needs and nothing calls; but not
     * where it is told to load no libraries. Its logger stays as it is: SLF4J would get 200 lines of it.
     */
    private static void passOverVersionOfOpenCl() {
        String property = "org.bytedeco.javacpp.loadLibraries";
        String before = System.getProperty(property);
        System.setProperty(property, "false");
        try {
            new OpenCL(); // its static initialiser compares the versions
        } finally {
            if (before == null) System.clearProperty(property);
            else System.setProperty(property, before);
        }
    }

    /** Loads everything; cheap after the first time. */
    static void load() {
        // The static initialiser has done it.
    }

    /** Sets how many threads oneDNN uses from the calling thread. */
    static void threads(int count) {
        GOMP.getFunction("omp_set_num_threads").invokeVoid(new Object[] {count});
    }

    /** Zeroed memory, on huge pages where it is large enough to need many; 0 when there is none. */
    static long allocate(long bytes) {
        boolean huge = bytes >= HUGE_PAGE;
        long rounded = huge ? (bytes + HUGE_PAGE - 1) / HUGE_PAGE * HUGE_PAGE : bytes;
        try (Memory out = new Memory(8)) {
            long alignment = huge ? HUGE_PAGE : 256;
            if (C.getFunction("posix_memalign").invokeInt(new Object[] {out, alignment, rounded}) != 0) return 0;
            Pointer memory = out.getPointer(0);
            if (huge) C.getFunction("madvise").invokeInt(new Object[] {memory, rounded, MADV_HUGEPAGE});
            memory.setMemory(0, rounded, (byte) 0);
            return Pointer.nativeValue(memory);
        }
    }

    static void free(long address) {
        C.getFunction("free").invokeVoid(new Object[] {new Pointer(address)});
    }
}
