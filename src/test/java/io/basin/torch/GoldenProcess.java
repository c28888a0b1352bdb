package io.basin.torch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/**
 * Runs programs that use libtorch, {@link GoldenTorch} first of all, in processes of their own, because libtorch's OpenMP runtime
 * and oneDNN's would share ours. Runs of one program after the other share a process: libtorch takes longer to start than most of
 * them.
 */
public final class GoldenProcess {
    private static final int TAIL = 4000;

    private static GoldenServer server;

    private GoldenProcess() {}

    /** The losses, one a step; weights lie in the spec's output directory. Fails with what libtorch said. */
    public static double[] run(GoldenSpec spec, long timeoutSeconds) {
        try {
            Files.createDirectories(spec.output());
            // Its own oneDNN has been seen to compute this net's loss wrongly on a Zen 5, by 8e-4 with AVX-512 and by
            // 3e-4 with
            // AVX2, where SSE4.1, both of our devices and libtorch elsewhere agree.
            Map<String, String> plain = spec.net().equals("smooth") ? Map.of("ONEDNN_MAX_CPU_ISA", "SSE41") : Map.of();
            run(GoldenTorch.class, spec.arguments(), spec.output().resolve("log.txt"), timeoutSeconds, plain);
            return Files.readAllLines(spec.output().resolve("losses.txt")).stream()
                    .mapToDouble(Double::parseDouble)
                    .toArray();
        } catch (IOException e) {
            throw new IllegalStateException("no golden run", e);
        }
    }

    /** Runs a program that uses libtorch; what it prints goes into {@code log}. Fails with that. */
    public static void run(Class<?> program, List<String> arguments, Path log, long timeoutSeconds) throws IOException {
        run(program, arguments, log, timeoutSeconds, Map.of());
    }

    /** The same with more in the environment. */
    public static synchronized void run(
            Class<?> program, List<String> arguments, Path log, long timeoutSeconds, Map<String, String> environment)
            throws IOException {
        if (server != null && !server.serves(program, environment)) stop();
        if (server == null) server = new GoldenServer(program, environment);
        try {
            server.run(arguments, log, timeoutSeconds);
        } catch (IOException | RuntimeException e) {
            stop();
            String said = Files.exists(log) ? Files.readString(log) : "";
            throw new IllegalStateException(
                    program.getSimpleName() + " " + e.getMessage() + ":\n"
                            + said.substring(Math.max(0, said.length() - TAIL)),
                    e);
        }
    }

    private static void stop() {
        if (server != null) server.close();
        server = null;
    }
}
