package io.basin.report;

import io.basin.text.Format;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/**
 * How good a net is at hand at every epoch: the running average, which knows no end, against runs whose rate was annealed to end
 * there. All of it held-out accuracy, mean over seeds.
 */
final class Anytime {
    /** Points within which an average is as good as an annealed net. */
    private static final double NEAR = ResultTable.ENOUGH;

    private Anytime() {}

    /** A sentence for each average; empty where none was measured, or no SGD whose rate fell to hold it against. */
    static String text(Summary summary) {
        NavigableMap<Double, Double> annealed = new TreeMap<>();
        for (String method : List.of("independent", "sgd")) {
            NavigableMap<Double, Double> line = accuracy(summary.curves().stream()
                    .filter(c -> List.of(c.run().split("[+ ]")).contains(method))
                    .toList());
            if (!line.isEmpty()) annealed.put(line.lastKey(), line.lastEntry().getValue());
        }
        boolean falls = summary.schedules().stream()
                .anyMatch(s -> s.method().equals("sgd") && s.lr()[s.lr().length - 1] < s.lr()[0] / 10);
        if (!falls || annealed.isEmpty()) return "";
        List<String> sentences = new ArrayList<>();
        Charts.named(Charts.averaging(summary), run -> Charts.averager(summary, run))
                .forEach((method, seeds) -> {
                    NavigableMap<Double, Double> average =
                            Charts.means(seeds, p -> Charts.percent(p.averageAccuracy()));
                    sentences.add(method + sentence(average, accuracy(seeds), annealed));
                });
        return sentences.isEmpty() ? "" : "Stopped at any time, held-out accuracy: " + String.join(" ", sentences);
    }

    private static NavigableMap<Double, Double> accuracy(List<Summary.Curve> curves) {
        return Charts.means(curves, p -> Charts.percent(p.validationAccuracy()));
    }

    private static String sentence(
            NavigableMap<Double, Double> average, Map<Double, Double> moving, NavigableMap<Double, Double> annealed) {
        double end = annealed.lastKey();
        double goal = annealed.lastEntry().getValue();
        double from = Double.NaN;
        for (Map.Entry<Double, Double> e : average.descendingMap().entrySet()) {
            if (e.getValue() < goal - NEAR) break;
            from = e.getKey();
        }
        double most = average.entrySet().stream()
                .filter(e -> moving.containsKey(e.getKey()))
                .mapToDouble(e -> e.getValue() - moving.getOrDefault(e.getKey(), 0.0))
                .max()
                .orElse(Double.NaN);
        String annealing = Format.of(" what SGD, annealed over %.1f epochs, ends with, %.2f %%", end, goal);
        StringBuilder text = new StringBuilder(
                Double.isNaN(from)
                        ? Format.of(
                                "'s average ends %.2f points below%s",
                                goal - average.lastEntry().getValue(), annealing)
                        : Format.of(
                                "'s average is within %.1f points of%s, from epoch %.1f on", NEAR, annealing, from));
        text.append(
                most > 0
                        ? Format.of(", up to %.2f points above the weights that it averages", most)
                        : ", never above the weights that it averages");
        annealed.headMap(end).forEach((epoch, accuracy) -> {
            Map.Entry<Double, Double> at = average.floorEntry(epoch);
            if (at != null)
                text.append(Format.of(
                        "; at epoch %.1f it has %.2f %%, and nets annealed to end at %.1f have %.2f %%",
                        at.getKey(), at.getValue(), epoch, accuracy));
        });
        return text.append('.').toString();
    }
}
