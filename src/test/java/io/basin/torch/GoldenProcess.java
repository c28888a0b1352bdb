package io.basin.torch;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Runs programs that use libtorch, {@link GoldenTorch} first of all, in processes of their own, because libtorch's OpenMP runtime and oneDNN's would share ours. */
public final class GoldenProcess {
    private static final int TAIL = 4000;

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
    public static void run(
            Class<?> program, List<String> arguments, Path log, long timeoutSeconds, Map<String, String> environment)
            throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx2g",
                "-XX:+UseSerialGC",
                "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                program.getName()));
        command.addAll(arguments);
        ProcessBuilder builder =
                new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
        // Not as a flag: ONNX Runtime 1.29 dies where a process's command line exceeds 4096 characters.
        builder.environment().put("CLASSPATH", classPath());
        builder.environment().put("OMP_NUM_THREADS", "1");
        builder.environment().put("OPENBLAS_NUM_THREADS", "1");
        builder.environment().putAll(environment);
        await(program.getSimpleName(), builder.start(), log, timeoutSeconds);
    }

    private static void await(String program, Process process, Path log, long timeoutSeconds) throws IOException {
        boolean ended = false;
        try {
            ended = process.waitFor(timeoutSeconds, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            process.destroyForcibly();
        }
        if (!ended || process.exitValue() != 0) {
            String said = Files.readString(log);
            throw new IllegalStateException(
                    program + (ended ? " ended with " + process.exitValue() : " ran out of time") + ":\n"
                            + said.substring(Math.max(0, said.length() - TAIL)));
        }
    }

    /** Surefire may start the tests from a jar that holds nothing but a manifest; it says the real path here. */
    private static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }
}
