package io.basin.bench;

import io.basin.report.Interval;
import io.basin.report.PairedComparison;
import io.basin.report.Statistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;

/**
 * The runs of {@code bench/rounds.sh} as a table: each way to train against SGD of the same seed, differences with 95 % intervals
 * (paired, Student). A seed counts where both runs have ended.
 *
 * <p>{@code mvn -q -Pbench test-compile exec:exec -Dbench.main=io.basin.bench.RoundsTable -Dbench.args=bench/results/rounds/lenet-bn.csv}
 */
public final class RoundsTable {
    private static final String BASELINE = "sgd,1,0";

    private record Run(double accuracy, double nll, String steps, double megabytes) {}

    private RoundsTable() {}

    public static void main(String[] args) throws IOException {
        for (String file : args) System.out.print(table(Files.readAllLines(Path.of(file))));
    }

    static String table(List<String> lines) {
        Map<String, Map<Integer, Run>> ways = ways(lines.subList(1, lines.size()));
        Map<Integer, Run> sgd = ways.getOrDefault(BASELINE, Map.of());
        StringBuilder table = new StringBuilder("""
                | method | workers | steps a round | seeds | accuracy % | against SGD, points | NLL | against SGD | steps in sequence | MB sent |
                |---|---|---|---|---|---|---|---|---|---|
                """);
        for (Map.Entry<String, Map<Integer, Run>> way : ways.entrySet()) {
            Map<Integer, Run> runs = way.getValue();
            runs.keySet().retainAll(sgd.keySet());
            if (!runs.isEmpty()) table.append(row(way.getKey().split(",", -1), runs, sgd));
        }
        return table.toString();
    }

    private static String row(String[] name, Map<Integer, Run> runs, Map<Integer, Run> sgd) {
        double[] accuracy =
                runs.values().stream().mapToDouble(r -> 100 * r.accuracy()).toArray();
        double[] nll = runs.values().stream().mapToDouble(Run::nll).toArray();
        double[] sgdAccuracy = runs.keySet().stream()
                .mapToDouble(s -> 100 * sgd.get(s).accuracy())
                .toArray();
        double[] sgdNll =
                runs.keySet().stream().mapToDouble(s -> sgd.get(s).nll()).toArray();
        Run one = runs.values().iterator().next();
        boolean itself = String.join(",", name).equals(BASELINE);
        return String.format(
                Locale.ROOT,
                "| %s | %s | %s | %d | %.2f | %s | %.4f | %s | %s | %s |%n",
                name[0],
                name[1],
                name[2].equals("0") ? "" : name[2],
                runs.size(),
                Statistics.mean(accuracy),
                itself ? "" : difference("%+.2f", accuracy, sgdAccuracy),
                Statistics.mean(nll),
                itself ? "" : difference("%+.4f", nll, sgdNll),
                one.steps(),
                one.megabytes() == 0 ? "" : String.format(Locale.ROOT, "%,.0f", one.megabytes()));
    }

    private static String difference(String form, double[] first, double[] second) {
        PairedComparison paired = Statistics.paired(first, second);
        String mean = String.format(Locale.ROOT, form, paired.meanDifference());
        Interval interval = paired.interval();
        if (interval.equals(Interval.ABSENT)) return mean;
        double half = (interval.high() - interval.low()) / 2;
        return mean + " ±" + String.format(Locale.ROOT, form.replace("+", ""), half);
    }

    /** Method, workers and inner steps, in the order of the file; below them the seeds. */
    private static Map<String, Map<Integer, Run>> ways(List<String> lines) {
        Map<String, Map<Integer, Run>> ways = new LinkedHashMap<>();
        for (String line : lines) {
            String[] cells = line.split(",", -1);
            Run run = new Run(
                    Double.parseDouble(cells[4]), Double.parseDouble(cells[5]), cells[6], Double.parseDouble(cells[7]));
            ways.computeIfAbsent(String.join(",", cells[0], cells[1], cells[2]), k -> new TreeMap<>())
                    .put(Integer.parseInt(cells[3]), run);
        }
        return ways;
    }
}
