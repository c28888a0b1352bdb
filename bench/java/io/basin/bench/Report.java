package io.basin.bench;

import io.basin.io.AtomicFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;

/** The table, with everything needed to measure it again. */
final class Report {
    /** One round: three runs that follow each other. */
    record Pair(Fork.MethodScore basin, Fork.MethodScore peer, Fork.MethodScore ceiling) {
        double ratio() {
            return basin.median() / peer.median();
        }

        @Override
        public String toString() {
            return String.format(
                    Locale.ROOT, "Basin %.1f, libtorch %.1f, ratio %.3f", basin.median(), peer.median(), ratio());
        }
    }

    private final String arguments;
    private final String started =
            LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmm", Locale.ROOT));
    private final List<String> rows = new ArrayList<>();
    private final List<String> settings = new ArrayList<>();

    Report(String arguments) {
        this.arguments = arguments;
    }

    void add(Contest contest, PeerConfig config, List<Pair> pairs) {
        List<Fork.MethodScore> basin = pairs.stream().map(Pair::basin).toList();
        List<Fork.MethodScore> peer = pairs.stream().map(Pair::peer).toList();
        rows.add(String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %s | %.2f | %s | %s | %s | %s |",
                contest.name(),
                contest.unit(),
                median(basin, Fork.MethodScore::median, "%.1f"),
                median(peer, Fork.MethodScore::median, "%.1f"),
                ratios(pairs),
                best(basin) / best(peer),
                share(contest, pairs, Pair::basin),
                share(contest, pairs, Pair::peer),
                median(basin, r -> r.peakKilobytes() / 1024.0, "%.0f"),
                median(peer, r -> r.peakKilobytes() / 1024.0, "%.0f")));
        settings.add("- " + contest.name() + ": `" + config + "`");
    }

    /** A contest that cannot be held here. */
    void skip(Contest contest, String why) {
        settings.add("- " + contest.name() + ": not measured, " + why);
    }

    /** The useful work of one side as a share of what the machine did in the same round. */
    private static String share(Contest contest, List<Pair> pairs, Function<Pair, Fork.MethodScore> side) {
        double scale = 100 * Work.of(contest) / Work.ofCeiling(contest);
        double[] shares = pairs.stream()
                .mapToDouble(p -> scale * side.apply(p).median() / p.ceiling().median())
                .sorted()
                .toArray();
        return String.format(
                Locale.ROOT, "%.0f (%.0f..%.0f) %%", Statistics.median(shares), shares[0], shares[shares.length - 1]);
    }

    private static String median(List<Fork.MethodScore> runs, ToDoubleFunction<Fork.MethodScore> value, String format) {
        return String.format(
                Locale.ROOT,
                format,
                Statistics.median(runs.stream().mapToDouble(value).toArray()));
    }

    private static double best(List<Fork.MethodScore> runs) {
        return runs.stream().mapToDouble(Fork.MethodScore::best).max().orElseThrow();
    }

    private static String ratios(List<Pair> pairs) {
        double[] ratios = pairs.stream().mapToDouble(Pair::ratio).sorted().toArray();
        return String.format(
                Locale.ROOT, "%.2f (%.2f..%.2f)", Statistics.median(ratios), ratios[0], ratios[ratios.length - 1]);
    }

    String markdown() {
        return """
                # Basin against libtorch

                | net | unit | Basin | libtorch | ratio, median (min..max) of pairs | best against best | Basin of ceiling | libtorch of ceiling | Basin peak MB | libtorch peak MB |
                |---|---|---|---|---|---|---|---|---|---|
                %1$s

                Best against best: each side's fastest iteration of all rounds. Where it differs from the median of pairs, the
                machine was not equally kind to both. Ceiling, measured in every round: for nets the arithmetic of one
                %2$d x %2$d x %2$d float32 matrix product, for the update (28 bytes a parameter),
                the average (12), combine (16), bend (24) and SWAG's moments (20, in one pass) the bandwidth of a triad in C.

                Batch 128, fp32 unless the name says bf16 (of libtorch: autocast), %3$d threads. %4$s
                Commit %5$s. Load at the end %6$s.

                libtorch ran with the best settings found on this machine:

                %7$s

                Command: `mvn -q -Pbench test-compile exec:exec -Dbench.args="%8$s"`
                """.formatted(
                        String.join("\n", rows),
                        Peak.SIZE,
                        Nets.threads(),
                        Machine.describe(),
                        Machine.commit(),
                        Machine.load(),
                        String.join("\n", settings),
                        arguments);
    }

    Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        Path file = directory.resolve("compare-" + started + ".md");
        AtomicFile.write(file, markdown());
        return file;
    }
}
