package io.basin.cpu;

import com.sun.jna.Function;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Platform;
import io.basin.device.DeviceException;
import java.io.File;
import java.util.regex.Pattern;
import org.bytedeco.dnnl.global.dnnl;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.opencl.presets.OpenCL;

/**
 * The few calls into libc and libgomp that oneDNN's Java API lacks.
 *
 * <p>libgomp's threads spin for milliseconds after each parallel region, which keeps the second core from our own
 * threads; without any spinning every primitive pays a wake-up. A spin of some ten microseconds bridges the gap from one
 * primitive to the next and no more. libgomp reads its settings once, when it is loaded, hence the order in here.
 */
final class Native {
    private static final String SPIN_COUNT = "2000";
    /**
     * A small stack ends the process, a large one keeps threads from starting; and a Java thread that OpenMP binds to one core
     * binds every thread that it starts. Limits of the process stay: taskset and cgroups do not matter here.
     */
    private static final Pattern HARMFUL =
            Pattern.compile("(OMP_(STACKSIZE|PROC_BIND|PLACES)|GOMP_(STACKSIZE|CPU_AFFINITY))(_ALL)?");

    private static final NativeLibrary C;
    private static final NativeLibrary GOMP;

    static {
        if (!Platform.isLinux()) throw new DeviceException("the cpu device needs Linux on x86-64");
        C = NativeLibrary.getInstance("c");
        Function setenv = C.getFunction("setenv");
        if (System.getenv("OMP_WAIT_POLICY") == null) setenv.invokeInt(new Object[] {"GOMP_SPINCOUNT", SPIN_COUNT, 0});
        System.getenv().keySet().stream().filter(HARMFUL.asMatchPredicate()).forEach(Native::forget);
        if (System.getProperty("org.bytedeco.javacpp.maxphysicalbytes") == null) {
            // The process's memory is ours; JavaCPP would count it against a limit that it takes from the heap's.
            System.setProperty("org.bytedeco.javacpp.maxphysicalbytes", "0");
        }
        skipVersionCheck();
        String library = Loader.load(dnnl.class);
        GOMP = NativeLibrary.getInstance(new File(new File(library).getParentFile(), "libgomp.so.1").getPath());
    }

    /**
     * Initialises opencl's class, which oneDNN's needs and nothing calls, while JavaCPP loads nothing: only then does it not warn on
     * stderr that opencl's version is another.
     */
    private static void skipVersionCheck() {
        String property = "org.bytedeco.javacpp.loadlibraries";
        String before = System.getProperty(property);
        System.setProperty(property, "false");
        try {
            Class.forName(OpenCL.class.getName());
        } catch (ClassNotFoundException e) {
            throw new DeviceException("the class path lacks opencl, which oneDNN's classes need", e);
        } finally {
            if (before == null) System.clearProperty(property);
            else System.setProperty(property, before);
        }
    }

    private Native() {}

    /** Loads everything; cheap after the first time. */
    static void load() {
        // The static initialiser has done it.
    }

    private static void forget(String variable) {
        C.getFunction("unsetenv").invokeInt(new Object[] {variable});
    }

    /** The OpenMP that lies beside oneDNN. */
    static NativeLibrary openMp() {
        return GOMP;
    }
}
