package io.basin.report;

import io.basin.Nullable;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The parts of a report on images that are not the test set's: means and intervals over seeds, and differences to SGD. */
final class ProbePage {
    private static final String BASELINE = "sgd";
    private static final String CLEAN = "none";

    /** One figure of one method, in %, seed by seed; where a seed has several, their mean. */
    private record Series(String method, String what, Map<Long, Double> bySeed) {
        static <T> List<Series> of(
                List<T> all,
                Function<T, String> method,
                Function<T, String> what,
                Function<T, Long> seed,
                ToDoubleFunction<T> share) {
            Map<List<String>, Map<Long, Double>> figures = all.stream()
                    .collect(Collectors.groupingBy(
                            t -> List.of(method.apply(t), what.apply(t)),
                            LinkedHashMap::new,
                            Collectors.groupingBy(
                                    seed,
                                    TreeMap::new,
                                    Collectors.averagingDouble(t -> 100 * share.applyAsDouble(t)))));
            List<Series> series = new ArrayList<>();
            figures.forEach((key, bySeed) -> series.add(new Series(key.get(0), key.get(1), bySeed)));
            return series;
        }

        double[] values() {
            return bySeed.values().stream().mapToDouble(v -> v).toArray();
        }

        String mean() {
            return Statistics.meanAndInterval(values(), 2, 0, 100);
        }
    }

    private ProbePage() {}

    static void corrupted(Page page, List<Extras.Corrupted> all) {
        if (all.isEmpty()) return;
        page.heading("Corrupted test images");
        List<Series> series = Series.of(
                all,
                Extras.Corrupted::method,
                Extras.Corrupted::kind,
                Extras.Corrupted::seed,
                Extras.Corrupted::accuracy);
        page.paragraph(
                "Accuracy in %, mean over strengths 1 to 5, and over seeds with its 95 % interval; the same images for all"
                        + " methods." + seeds(series));
        List<String> kinds = series.stream().map(Series::what).distinct().toList();
        List<List<String>> rows = new ArrayList<>();
        rows.add(Stream.concat(Stream.of("method"), kinds.stream().map(k -> k.equals(CLEAN) ? "clean" : k))
                .toList());
        for (String method : series.stream().map(Series::method).distinct().toList()) {
            List<String> row = new ArrayList<>(List.of(method));
            for (String kind : kinds) {
                Series s = find(series, method, kind);
                row.add(s == null ? "" : s.mean());
            }
            rows.add(row);
        }
        page.table(rows);
        differences(page, series.stream().filter(s -> !s.what().equals(CLEAN)).toList());
        for (String kind : kinds) {
            if (kind.equals(CLEAN)) continue;
            page.figure(
                    corruption(all, kind), "Accuracy under " + kind + ", mean over seeds; strength 0 is the test set.");
        }
    }

    /** Accuracy against strength, one line a method. */
    private static Lines corruption(List<Extras.Corrupted> all, String kind) {
        double[] x = new double
                [1 + all.stream().mapToInt(Extras.Corrupted::strength).max().orElse(0)];
        Arrays.setAll(x, i -> i);
        Lines lines = new Lines("Accuracy under " + kind, "strength", "accuracy, %");
        all.stream().map(Extras.Corrupted::method).distinct().forEach(method -> {
            double[] y = new double[x.length];
            Arrays.setAll(y, i -> 100 * mean(all, method, i == 0 ? CLEAN : kind, i));
            lines.dotted(method, x, y);
        });
        return lines;
    }

    private static double mean(List<Extras.Corrupted> all, String method, String kind, int strength) {
        return all.stream()
                .filter(c -> c.method().equals(method) && c.kind().equals(kind) && c.strength() == strength)
                .mapToDouble(Extras.Corrupted::accuracy)
                .average()
                .orElse(Double.NaN);
    }

    static void outside(Page page, List<Extras.Outside> all) {
        if (all.isEmpty()) return;
        page.heading("Images of no class");
        List<Series> auroc = outside(all, Extras.Outside::auroc);
        List<Series> inside = outside(all, Extras.Outside::confidenceInside);
        List<Series> other = outside(all, Extras.Outside::confidenceOutside);
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("method", "other set", "AUROC %", "confidence, test %", "confidence, other %"));
        for (int i = 0; i < auroc.size(); i++) {
            Series s = auroc.get(i);
            rows.add(List.of(
                    s.method(),
                    s.what(),
                    s.mean(),
                    inside.get(i).mean(),
                    other.get(i).mean()));
        }
        page.paragraph(
                "AUROC: the chance that a test image gets a more confident prediction than one of the other set; 50 % is"
                        + " chance, 100 % tells them apart. Means over seeds with 95 % intervals." + seeds(auroc));
        page.table(rows);
        differences(page, auroc);
    }

    private static List<Series> outside(List<Extras.Outside> all, ToDoubleFunction<Extras.Outside> figure) {
        return Series.of(all, Extras.Outside::method, Extras.Outside::set, Extras.Outside::seed, figure);
    }

    private static String seeds(List<Series> series) {
        int most = series.stream().mapToInt(s -> s.bySeed().size()).max().orElse(0);
        if (most < 2) return " 1 seed: no intervals, and any difference may be chance.";
        return most < 5 ? " " + most + " seeds: intervals are wide, and p says little." : "";
    }

    private static @Nullable Series find(List<Series> series, String method, String what) {
        return series.stream()
                .filter(s -> s.method().equals(method) && s.what().equals(what))
                .findFirst()
                .orElse(null);
    }

    /** Of each method to SGD over the seeds of both, where there are several; one test a row, corrected by Holm over all rows. */
    private static void differences(Page page, List<Series> series) {
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
        page.table(rows);
    }
}
