package io.basin.bench;

import io.basin.cuda.KernelLaunches;
import io.basin.device.Precision;
import io.basin.io.AtomicFile;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/**
 * The update, each kernel of our own and whole training steps on a GPU, by JMH. On a software GPU all of it runs as a rehearsal, and
 * no figure is given: an emulator's time says nothing.
 *
 * <p>{@code mvn -q -Pbench test-compile exec:exec -Dbench.main=io.basin.bench.GpuMain}; rehearsed with {@code
 * LD_LIBRARY_PATH=target/softgpu}, {@code process-test-classes} and {@code -Dbench.args=--tiny}.
 */
@Command(name = "gpu", mixinStandardHelpOptions = true, showDefaultValues = true)
public final class GpuMain implements Runnable {
    private static final List<Integer> PARAMETERS = List.of(1_000_000, 25_600_000, 100_000_000);

    @Option(names = "--device", description = "cuda: there is no other GPU")
    private String device = "cuda";

    @Option(names = "--nets", split = ",", description = "those that are trained")
    List<String> nets = List.of("mlp", "smallcnn", "preresnet20", "vgg16-bn");

    @Option(names = "--precisions", split = ",", description = "in which they are")
    List<Precision> precisions = List.of(Precision.STRICT, Precision.FP32, Precision.BF16);

    @Option(names = "--iterations", description = "measured iterations; a score is their median")
    private int iterations = 5;

    @Option(names = "--seconds", description = "length of an iteration")
    private double seconds = 0.5;

    @Option(names = "--tiny", description = "sizes and times that an emulator can do; they measure nothing")
    boolean tiny;

    @Option(names = "--results", description = "directory of the Markdown report")
    private Path results = Path.of("bench", "results");

    /** What the GPU calls itself, and its own kernels. */
    private String title;

    private boolean emulated;
    private List<String> kernels;
    private final List<String> rows = new ArrayList<>();

    public static void main(String[] args) {
        System.exit(new CommandLine(new GpuMain()).execute(args));
    }

    @Override
    public void run() {
        String report = measure();
        System.out.println(report);
        if (emulated || tiny) return;
        String when = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmm", Locale.ROOT));
        Path file = results.resolve("gpu-" + when + ".md");
        try {
            Files.createDirectories(results);
            AtomicFile.write(file, report);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        System.out.println("Written to " + file);
    }

    /** The report. */
    String measure() {
        if (!device.equals("cuda")) throw new IllegalArgumentException("`--device` takes cuda here, not " + device);
        try (KernelLaunches launches = new KernelLaunches(KernelLaunches.Size.TINY)) {
            title = launches.title();
            emulated = launches.emulated();
            kernels = launches.names();
        }
        List<String> sizes = tiny
                ? List.of("1024")
                : PARAMETERS.stream().map(String::valueOf).toList();
        add("BasinStep", "updates/s", 1, "on=" + device, "parameters=" + String.join(";", sizes));
        add("BasinKernel", "launches/s", 1, "kernel=" + String.join(";", kernels), "tiny=" + tiny);
        int batch = tiny ? 2 : TorchTraining.BATCH;
        List<String> names = precisions.stream().map(Precision::name).toList();
        for (String net : nets) {
            add(
                    "BasinTraining",
                    "images/s",
                    (double) batch / TorchTraining.BATCH,
                    "on=" + device,
                    "net=" + net,
                    "batch=" + batch,
                    "precision=" + String.join(";", names));
        }
        return markdown();
    }

    private void add(String benchmark, String unit, double scale, String... parameters) {
        Fork.Length length =
                tiny ? new Fork.Length(0, 1, 1) : new Fork.Length(1, iterations, Math.round(1000 * seconds));
        for (Map.Entry<String, Fork.MethodScore> each :
                Fork.device(benchmark, List.of(parameters), length).entrySet()) {
            String setting = each.getKey().replaceAll("[{}\"]", "").replace(",", ", ");
            Fork.MethodScore score = each.getValue();
            rows.add(String.format(
                    Locale.ROOT,
                    "| %s | %s | %s | %s | %s |",
                    benchmark,
                    setting,
                    unit,
                    figure(scale * score.median()),
                    figure(scale * score.best())));
        }
    }

    private String figure(double value) {
        return emulated || tiny ? "ran" : String.format(Locale.ROOT, "%.1f", value);
    }

    private String markdown() {
        return """
                # Basin on %s%s

                | benchmark | setting | unit | median | best iteration |
                |---|---|---|---|---|
                %s

                Scores are of the host's clock, which waits for the GPU every 16 updates or steps and every %d launches. %s Commit %s.
                """.formatted(
                        title,
                        emulated || tiny ? ": a rehearsal, no measurement" : "",
                        String.join("\n", rows),
                        BasinKernel.LAUNCHES,
                        Machine.describe(),
                        Machine.commit());
    }
}
