package io.basin.cuda;

/**
 * What one kernel moved between device memory and its threads, as the software GPU counted it.
 *
 * @param wide bytes of both that 128-bit accesses moved
 */
public record Traffic(long launches, long loaded, long stored, long wide) {
    /** Counts around {@code work}; null, with a line that says so, on a GPU that does not count. */
    public static Traffic of(Gpu gpu, String kernel, Runnable work) {
        if (!SoftGpu.present()) {
            System.out.println("NOT COVERED: traffic of " + kernel + ": " + gpu.title() + " does not count bytes");
            return null;
        }
        SoftGpu.reset();
        work.run();
        return new Traffic(
                counter(kernel, "launches"),
                counter(kernel, "loaded"),
                counter(kernel, "stored"),
                counter(kernel, "wide"));
    }

    private static long counter(String kernel, String what) {
        return SoftGpu.counter("kernel:" + kernel + ":" + what);
    }

    public double wideShare() {
        return (double) wide / (loaded + stored);
    }
}
