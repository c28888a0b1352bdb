package io.basin.bench;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.function.ToDoubleFunction;

/** The table, with everything needed to measure it again. */
final class Report {
    /** One round; Basin is null where it has no such benchmark. */
    record Pair(Fork.Result basin, Fork.Result peer) {
        double ratio() {
            return basin.median() / peer.median();
        }

        @Override
        public String toString() {
            String text = String.format(Locale.ROOT, "libtorch %.1f", peer.median());
            return basin == null
                    ? text
                    : String.format(Locale.ROOT, "Basin %.1f, %s, ratio %.3f", basin.median(), text, ratio());
        }
    }

    private final String arguments;
    private final List<String> rows = new ArrayList<>();
    private final List<String> settings = new ArrayList<>();

    Report(String arguments) {
        this.arguments = arguments;
    }

    void add(Contest contest, PeerConfig config, List<Pair> pairs) {
        List<Pair> both = pairs.stream().filter(p -> p.basin() != null).toList();
        List<Fork.Result> basin =
                both.stream().map(Pair::basin).filter(Objects::nonNull).toList();
        List<Fork.Result> peer = pairs.stream().map(Pair::peer).toList();
        rows.add(String.format(
                Locale.ROOT,
                "| %s | %s | %s | %s | %s | %s | %s |",
                contest.name(),
                contest.unit(),
                median(basin, Fork.Result::median, "%.1f"),
                median(peer, Fork.Result::median, "%.1f"),
                ratios(both),
                median(basin, r -> r.peakKilobytes() / 1024.0, "%.0f"),
                median(peer, r -> r.peakKilobytes() / 1024.0, "%.0f")));
        settings.add("- " + contest.name() + ": `" + config + "`");
    }

    private static String median(List<Fork.Result> runs, ToDoubleFunction<Fork.Result> value, String format) {
        return runs.isEmpty()
                ? "-"
                : String.format(
                        Locale.ROOT,
                        format,
                        Statistics.median(runs.stream().mapToDouble(value).toArray()));
    }

    private static String ratios(List<Pair> pairs) {
        double[] ratios = pairs.stream().mapToDouble(Pair::ratio).sorted().toArray();
        return ratios.length == 0
                ? "-"
                : String.format(
                        Locale.ROOT,
                        "%.2f (%.2f..%.2f)",
                        Statistics.median(ratios),
                        ratios[0],
                        ratios[ratios.length - 1]);
    }

    String markdown() {
        return """
                # Basin against libtorch

                | net | unit | Basin | libtorch | ratio, median (min..max) of pairs | Basin peak MB | libtorch peak MB |
                |---|---|---|---|---|---|---|
                %s

                Batch 128, fp32, %d threads. %s
                Commit %s. Load at the end %s.

                libtorch ran with the best settings found on this machine:

                %s

                Command: `mvn -q -Pbench test-compile exec:exec -Dbench.args="%s"`
                """.formatted(
                        String.join("\n", rows),
                        Nets.threads(),
                        Machine.describe(),
                        Machine.commit(),
                        Machine.load(),
                        String.join("\n", settings),
                        arguments);
    }

    Path write(Path directory) throws IOException {
        Files.createDirectories(directory);
        String now = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyy-MM-dd-HHmm"));
        return Files.writeString(directory.resolve("compare-" + now + ".md"), markdown());
    }
}
