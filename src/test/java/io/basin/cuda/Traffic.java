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

    /** One update of so many parameters; null as {@link #of}. */
    public static Traffic ofStep(Gpu gpu, int parameters, int blocks, boolean averaging) {
        return ofStep(gpu, parameters, blocks, averaging, false);
    }

    /** @param pull none for a run whose control block has no table of pulls */
    static Traffic ofStep(Gpu gpu, int parameters, int blocks, boolean averaging, boolean copying, float... pull) {
        float[] alpha = {averaging ? 0.25f : 0};
        DevicePointer control = gpu.control(0, false, new float[] {0.1f}, alpha, pull);
        DevicePointer[] arenas = new DevicePointer[4];
        for (int i = 0; i < arenas.length; i++) arenas[i] = gpu.put(new float[parameters]);
        int quads = parameters / 4;
        DevicePointer copy = copying ? gpu.empty(2L * parameters) : null;
        return of(
                gpu,
                "step",
                () -> gpu.launch(
                        "step.cu",
                        "step",
                        blocks,
                        arenas[0],
                        arenas[1],
                        arenas[2],
                        arenas[3],
                        control,
                        1,
                        quads,
                        quads / 2,
                        0.9f,
                        5e-4f,
                        0,
                        pull.length,
                        copy));
    }

    private static long counter(String kernel, String what) {
        return SoftGpu.counter("kernel:" + kernel + ":" + what);
    }

    public double wideShare() {
        return (double) wide / (loaded + stored);
    }
}
