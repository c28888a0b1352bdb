package io.basin.bench;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/** Starts {@link BenchChild} and reads what it measured. */
final class Fork {
    private static final int TIMEOUT_MINUTES = 10;
    private static final int TAIL = 3000;

    /** How long a child measures. */
    record Length(int warmups, int iterations, long milliseconds) {}

    /**
     * @param median of the iterations, which one slow iteration does not move
     * @param best iteration: what the setting can do when nothing disturbs it, for tuning on a noisy machine
     */
    record MethodScore(double median, double best, long peakKilobytes) {}

    private Fork() {}

    /** On a device of Basin's, of every combination of parameters, {@code name=value;value}. */
    static Map<String, MethodScore> device(String benchmark, List<String> parameters, Length length) {
        return all(benchmark, parameters, length, classPath(), Map.of());
    }

    private static String classPath() {
        return System.getProperty("surefire.test.class.path", System.getProperty("java.class.path"));
    }

    static MethodScore peer(Contest contest, PeerConfig config, Length length) {
        List<String> parameters = new ArrayList<>(contest.parameters());
        parameters.addAll(config.parameters());
        return run(
                contest.benchmark("Torch"),
                parameters,
                length,
                config.classPath(classPath()),
                config.environment(contest));
    }

    /** Basin gets nothing from the environment but its threads: what it needs it sets itself. */
    static MethodScore basin(Contest contest, Length length) {
        return run(contest.benchmark("Basin"), contest.basinParameters(), length, classPath(), Map.of());
    }

    /** What the machine itself gives at that moment. */
    static MethodScore ceiling(Contest contest, Length length) {
        return run(contest.ceiling(), List.of(), length, classPath(), Map.of());
    }

    private static MethodScore run(
            String benchmark, List<String> parameters, Length length, String classPath, Map<String, String> set) {
        return all(benchmark, parameters, length, classPath, set)
                .values()
                .iterator()
                .next();
    }

    /** By the parameters as JMH has them. */
    private static Map<String, MethodScore> all(
            String benchmark, List<String> parameters, Length length, String classPath, Map<String, String> set) {
        try {
            Path json = Files.createTempFile("basin-bench", ".json");
            Path log = Path.of(json + ".log");
            List<String> command = new ArrayList<>(List.of(
                    Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                    "-XX:+UseSerialGC",
                    "-Xmx2g",
                    "-Dorg.bytedeco.javacpp.maxPhysicalBytes=0",
                    "-cp",
                    classPath,
                    BenchChild.class.getName(),
                    benchmark,
                    "" + length.warmups(),
                    "" + length.iterations(),
                    "" + length.milliseconds(),
                    json.toString()));
            command.addAll(parameters);
            ProcessBuilder builder =
                    new ProcessBuilder(command).redirectErrorStream(true).redirectOutput(log.toFile());
            builder.environment().put("OMP_NUM_THREADS", "" + Nets.threads());
            builder.environment().putAll(set);
            await(builder.start(), log);
            return read(json, log);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void await(Process process, Path log) throws IOException {
        Thread kill = new Thread(process::destroyForcibly);
        Runtime.getRuntime().addShutdownHook(kill);
        try {
            boolean ended = process.waitFor(TIMEOUT_MINUTES, TimeUnit.MINUTES);
            if (!ended || process.exitValue() != 0) {
                String said = Files.readString(log);
                throw new IllegalStateException(
                        "a measuring process failed:\n" + said.substring(Math.max(0, said.length() - TAIL)));
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted", e);
        } finally {
            process.destroyForcibly();
            Runtime.getRuntime().removeShutdownHook(kill);
        }
    }

    private static Map<String, MethodScore> read(Path json, Path log) throws IOException {
        Path rss = Path.of(json + ".rss");
        long kilobytes = Long.parseLong(Files.readString(rss).strip());
        Map<String, MethodScore> scores = new LinkedHashMap<>();
        for (JsonNode result : new ObjectMapper().readTree(json.toFile())) {
            JsonNode raw = result.path("primaryMetric").path("rawData").path(0);
            double[] each = new double[raw.size()];
            Arrays.setAll(each, i -> raw.get(i).asDouble());
            scores.put(
                    result.path("params").toString(),
                    new MethodScore(
                            Statistics.median(each), Arrays.stream(each).max().orElseThrow(), kilobytes));
        }
        for (Path file : List.of(json, log, rss)) Files.delete(file);
        return scores;
    }
}
