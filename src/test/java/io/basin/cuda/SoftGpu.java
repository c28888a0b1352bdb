package io.basin.cuda;

import com.sun.jna.Function;
import com.sun.jna.Memory;
import com.sun.jna.NativeLibrary;
import com.sun.jna.Pointer;

/**
 * The controls of the software GPU: what it counted, which call is to fail, what it caught.
 *
 * <p>The library is opened by name through the loader, as JCuda's natives open theirs, so that both mean the same one.
 */
public final class SoftGpu {
    private static final int RTLD_NOW = 2;
    private static final int MESSAGE = 4096;
    private static final Pointer LIBRARY = function("dlopen").invokePointer(new Object[] {"libcuda.so.1", RTLD_NOW});

    private SoftGpu() {}

    /** Whether {@code libcuda.so.1} is the software GPU; false for a real driver and for none. */
    public static boolean present() {
        return LIBRARY != null && symbol("softgpu_present") != null;
    }

    /** Zeroes the counters, forgets violations and planned failures; live memory, streams and graphs stay. */
    public static void reset() {
        control("softgpu_reset").invokeVoid(new Object[] {});
    }

    /**
     * A counter since the last reset: launches, graph_launches, syncs, htod, dtoh, dtod, memsets, allocs, frees,
     * bytes_htod, bytes_dtoh, violations, leaks (what was alive when its context was destroyed), calls:FUNCTION,
     * kernel:NAME:launches (or loaded, stored, wide; in bytes), and what is alive now: live_bytes, live_pinned, live_streams,
     * live_events, live_graphs, live_modules.
     */
    public static long counter(String name) {
        long value = control("softgpu_counter").invokeLong(new Object[] {name});
        if (value < 0) throw new IllegalArgumentException("the software GPU counts nothing called " + name);
        return value;
    }

    /**
     * Makes the n-th following call of a kind fail with its own error code, once; 0 takes a planned failure back.
     *
     * @param kind alloc, copy, launch, graph, module, stream, event, sync, context, cublas, cudnn, nvrtc or any
     */
    public static void fail(String kind, long n) {
        if (control("softgpu_fail").invokeInt(new Object[] {kind, n}) != 0)
            throw new IllegalArgumentException("the software GPU has no calls of kind " + kind);
    }

    /** How many calls of a kind there were since the last reset: what {@link #fail} could have hit. */
    public static long calls(String kind) {
        return control("softgpu_calls").invokeLong(new Object[] {kind});
    }

    /** Chooses the order of blocks and warps in the kernels that follow. */
    public static void seed(long seed) {
        control("softgpu_seed").invokeVoid(new Object[] {seed});
    }

    /** The last violation since the reset, with kernel and source line, or the empty string. */
    public static String lastViolation() {
        return text("softgpu_last_violation");
    }

    /** The call that {@link #fail} hit last since the reset, under the name that JCuda has for it, or the empty string. */
    public static String lastFailure() {
        return text("softgpu_last_failure").replaceAll("(WithFlags)?(_v2)?$", "");
    }

    /** Gives this process's {@code BASIN_SOFTGPU_CUDNN} these words; null for those that it began with. */
    static void cudnn(String words) {
        String variable = "BASIN_SOFTGPU_CUDNN";
        String said = words == null ? System.getenv().getOrDefault(variable, "") : words;
        function("setenv").invokeInt(new Object[] {variable, said, 1});
    }

    private static String text(String control) {
        try (Memory out = new Memory(MESSAGE)) {
            control(control).invokeVoid(new Object[] {out, MESSAGE});
            return out.getString(0);
        }
    }

    /** Kernels with their launches, bytes and share of 128-bit accesses, as a table. */
    public static String report() {
        try (Memory out = new Memory(64L * MESSAGE)) {
            control("softgpu_report").invokeVoid(new Object[] {out, 64 * MESSAGE});
            return out.getString(0);
        }
    }

    private static Function control(String name) {
        if (!present()) throw new IllegalStateException("libcuda.so.1 is not the software GPU: check present() first");
        return Function.getFunction(symbol(name));
    }

    private static Pointer symbol(String name) {
        return function("dlsym").invokePointer(new Object[] {LIBRARY, name});
    }

    private static Function function(String name) {
        return NativeLibrary.getProcess().getFunction(name);
    }
}
