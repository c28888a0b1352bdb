package io.basin.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.openjdk.jmh.results.format.ResultFormatType;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;

/**
 * The process that measures. It is the fork itself (JMH forks nothing more), because only the parent that starts it can
 * set the environment libtorch reads before {@code main}: allocator, BLAS, OpenMP.
 *
 * <p>Arguments: benchmark class, warm-up iterations, measured iterations, milliseconds each, result file, name=value;value...
 */
public final class BenchChild {
    private BenchChild() {}

    public static void main(String[] args) throws RunnerException, IOException {
        // Without warming up it rehearses, which nobody else's measurement disturbs.
        if (args[1].equals("0")) System.setProperty("jmh.ignoreLock", "true");
        TimeValue time = TimeValue.milliseconds(Long.parseLong(args[3]));
        ChainedOptionsBuilder options = new OptionsBuilder()
                .include("\\." + args[0] + "\\.")
                .forks(0)
                .warmupIterations(Integer.parseInt(args[1]))
                .measurementIterations(Integer.parseInt(args[2]))
                .warmupTime(time)
                .measurementTime(time)
                .shouldFailOnError(true)
                .resultFormat(ResultFormatType.JSON)
                .result(args[4]);
        for (int i = 5; i < args.length; i++) {
            String[] parameter = args[i].split("=", 2);
            options.param(parameter[0], parameter[1].split(";"));
        }
        new Runner(options.build()).run();
        Files.writeString(Path.of(args[4] + ".rss"), peakKilobytes());
    }

    /** Peak resident set as the kernel counted it: heap, native memory and libraries. */
    private static String peakKilobytes() throws IOException {
        return Files.readAllLines(Path.of("/proc/self/status")).stream()
                .filter(line -> line.startsWith("VmHWM:"))
                .map(line -> line.replaceAll("\\D", ""))
                .findFirst()
                .orElse("0");
    }
}
