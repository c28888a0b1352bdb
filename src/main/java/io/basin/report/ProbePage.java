package io.basin.report;

import static io.basin.report.EvidencePage.figure;
import static io.basin.report.EvidencePage.heading;
import static io.basin.report.EvidencePage.paragraph;
import static io.basin.report.EvidencePage.table;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** The parts of a report on images that are not the test set's: means and intervals over seeds, and differences to SGD. */
final class ProbePage {
    private static final String BASELINE = "sgd";
    private static final String CLEAN = "none";

    /** One figure of one method, in %, seed by seed. */
    record Series(String method, String what, Map<Long, Double> bySeed) {
        double[] values() {
            return bySeed.values().stream().mapToDouble(v -> v).toArray();
        }

        String mean() {
            return Statistics.meanAndInterval(values(), 2, 0, 100);
        }
    }

    private ProbePage() {}

    static void corrupted(StringBuilder out, List<Evidence.Corrupted> all) {
        if (all.isEmpty()) return;
        heading(out, "Corrupted test images");
        List<Series> series = corruptedSeries(all);
        paragraph(
                out,
                "Accuracy in %, mean over strengths 1 to 5, and over seeds with its 95 % interval; the same images for all"
                        + " methods." + seeds(series));
        List<String> kinds = distinct(series.stream().map(Series::what).toList());
        table(out, grid(series, kinds, k -> k.equals(CLEAN) ? "clean" : k));
        differences(out, series.stream().filter(s -> !s.what().equals(CLEAN)).toList());
        for (String kind : kinds) {
            if (kind.equals(CLEAN)) continue;
            figure(
                    out,
                    corruption(all, kind),
                    "Accuracy under " + kind + ", mean over seeds; strength 0 is the test set.");
        }
    }

    private static List<Series> corruptedSeries(List<Evidence.Corrupted> all) {
        Map<String, List<Evidence.Corrupted>> groups = new LinkedHashMap<>();
        for (Evidence.Corrupted c : all) {
            groups.computeIfAbsent(c.method() + "\n" + c.kind(), k -> new ArrayList<>())
                    .add(c);
        }
        List<Series> series = new ArrayList<>();
        for (List<Evidence.Corrupted> g : groups.values()) {
            Map<Long, List<Double>> strengths = new TreeMap<>();
            for (Evidence.Corrupted c : g) {
                strengths.computeIfAbsent(c.seed(), s -> new ArrayList<>()).add(100 * c.accuracy());
            }
            Map<Long, Double> means = new TreeMap<>();
            strengths.forEach((seed, v) -> means.put(
                    seed,
                    Statistics.mean(v.stream().mapToDouble(Double::doubleValue).toArray())));
            series.add(new Series(g.get(0).method(), g.get(0).kind(), means));
        }
        return series;
    }

    /** Accuracy against strength, one line a method. */
    static Lines corruption(List<Evidence.Corrupted> all, String kind) {
        int strengths =
                all.stream().mapToInt(Evidence.Corrupted::strength).max().orElse(0);
        double[] x = new double[strengths + 1];
        Arrays.setAll(x, i -> i);
        Lines lines = new Lines("Accuracy under " + kind, "strength", "accuracy, %");
        for (String method :
                distinct(all.stream().map(Evidence.Corrupted::method).toList())) {
            double[] y = new double[x.length];
            Arrays.setAll(y, i -> 100 * mean(all, method, i == 0 ? CLEAN : kind, i));
            lines.dotted(method, x, y);
        }
        return lines;
    }

    private static double mean(List<Evidence.Corrupted> all, String method, String kind, int strength) {
        return all.stream()
                .filter(c -> c.method().equals(method) && c.kind().equals(kind) && c.strength() == strength)
                .mapToDouble(Evidence.Corrupted::accuracy)
                .average()
                .orElse(Double.NaN);
    }

    static void outside(StringBuilder out, List<Evidence.Outside> all) {
        if (all.isEmpty()) return;
        heading(out, "Images of no class");
        List<Series> auroc = new ArrayList<>();
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("method", "other set", "AUROC %", "confidence, test %", "confidence, other %"));
        Map<String, List<Evidence.Outside>> groups = new LinkedHashMap<>();
        for (Evidence.Outside o : all) {
            groups.computeIfAbsent(o.method() + "\n" + o.set(), k -> new ArrayList<>())
                    .add(o);
        }
        for (List<Evidence.Outside> g : groups.values()) {
            Series s = series(g, Evidence.Outside::auroc);
            auroc.add(s);
            rows.add(List.of(
                    s.method(),
                    s.what(),
                    s.mean(),
                    series(g, Evidence.Outside::confidenceInside).mean(),
                    series(g, Evidence.Outside::confidenceOutside).mean()));
        }
        paragraph(
                out,
                "AUROC: the chance that a test image gets a more confident prediction than one of the other set; 50 % is"
                        + " chance, 100 % tells them apart. Means over seeds with 95 % intervals." + seeds(auroc));
        table(out, rows);
        differences(out, auroc);
    }

    private static Series series(
            List<Evidence.Outside> group, java.util.function.ToDoubleFunction<Evidence.Outside> figure) {
        Map<Long, Double> values = new TreeMap<>();
        for (Evidence.Outside o : group) values.put(o.seed(), 100 * figure.applyAsDouble(o));
        return new Series(group.get(0).method(), group.get(0).set(), values);
    }

    private static String seeds(List<Series> series) {
        int most = series.stream().mapToInt(s -> s.bySeed().size()).max().orElse(0);
        if (most < 2) return " 1 seed: no intervals, and any difference may be chance.";
        return most < 5 ? " " + most + " seeds: intervals are wide, and p says little." : "";
    }

    private static List<List<String>> grid(
            List<Series> series, List<String> whats, java.util.function.UnaryOperator<String> title) {
        List<List<String>> rows = new ArrayList<>();
        List<String> header = new ArrayList<>(List.of("method"));
        whats.forEach(w -> header.add(title.apply(w)));
        rows.add(header);
        for (String method : distinct(series.stream().map(Series::method).toList())) {
            List<String> row = new ArrayList<>(List.of(method));
            for (String what : whats) {
                Series s = find(series, method, what);
                row.add(s == null ? "" : s.mean());
            }
            rows.add(row);
        }
        return rows;
    }

    private static Series find(List<Series> series, String method, String what) {
        return series.stream()
                .filter(s -> s.method().equals(method) && s.what().equals(what))
                .findFirst()
                .orElse(null);
    }

    /** Of each method to SGD over the seeds of both, where there are several; one test a row, corrected by Holm over all rows. */
    private static void differences(StringBuilder out, List<Series> series) {
        List<Series> tested = new ArrayList<>();
        List<PairedComparison> pairs = new ArrayList<>();
        for (Series s : series) {
            Series sgd = find(series, BASELINE, s.what());
            if (sgd == null || s.method().equals(BASELINE)) continue;
            if (!s.bySeed().keySet().equals(sgd.bySeed().keySet()) || s.bySeed().size() < 2) continue;
            tested.add(s);
            pairs.add(Statistics.paired(s.values(), sgd.values()));
        }
        if (tested.isEmpty()) return;
        double[] p =
                Statistics.holm(pairs.stream().mapToDouble(PairedComparison::p).toArray());
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("method", "images", "vs SGD, points", "95 %", "p (Holm)"));
        for (int i = 0; i < p.length; i++) {
            rows.add(List.of(
                    tested.get(i).method(),
                    tested.get(i).what(),
                    Statistics.format(pairs.get(i).meanDifference(), 2),
                    pairs.get(i).interval().format(2),
                    Statistics.format(p[i], 4)));
        }
        table(out, rows);
    }

    private static List<String> distinct(List<String> names) {
        return names.stream().distinct().toList();
    }
}
