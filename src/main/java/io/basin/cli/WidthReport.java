package io.basin.cli;

import io.basin.geometry.Figures;
import io.basin.geometry.Rays;
import io.basin.io.Json;
import io.basin.report.Lines;
import io.basin.report.Page;
import io.basin.report.Statistics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** How wide nets are: pictures with bands, a table of widths, and what several seeds together say. */
final class WidthReport {
    private final Rays.Result result;
    private final double rise;
    private final Map<String, String> facts;

    WidthReport(Rays.Result result, double rise, Map<String, String> facts) {
        this.result = result;
        this.rise = rise;
        this.facts = facts;
    }

    void write(Path folder) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("facts", facts);
        json.put("rise", rise);
        json.put("rays", result.bundles().stream().map(this::numbers).toList());
        json.put("lines", result.lines().stream().map(WidthReport::numbers).toList());
        json.put("conclusions", conclusions());
        Json.write(folder.resolve("results.json"), json);
        System.out.print(Page.text(rows()));
        System.out.println();
        conclusions().forEach(System.out::println);
        System.out.println(Site.LOSS);
        System.out.println(Site.STATISTICS);
        Page page = new Page("Width of optima: " + facts.get("net"));
        conclusions().forEach(page::conclusion);
        for (Rays.Kind kind : Rays.Kind.values()) {
            figure(page, folder, kind, "train-loss", "Training loss", "training loss, nats", Figures::trainLoss);
            figure(page, folder, kind, "test-error", "Test error", "test error, %", f -> 100 * f.testError());
        }
        if (!result.lines().isEmpty()) {
            line(page, folder, "train-loss", "Training loss", "training loss, nats", Figures::trainLoss);
            line(page, folder, "test-error", "Test error", "test error, %", f -> 100 * f.testError());
        }
        page.table(rows())
                .paragraph(Site.LOSS)
                .paragraph(Site.STATISTICS)
                .facts(facts)
                .write(folder.resolve("report.html"));
        System.out.println("Report: " + folder.resolve("report.html"));
    }

    private Map<String, Object> numbers(Rays.Bundle b) {
        Map<String, Object> ray = new LinkedHashMap<>();
        ray.put("net", b.net().label());
        ray.put("file", b.net().file().toString());
        ray.put("kind", b.kind());
        ray.put("width", b.width(rise));
        ray.put("distances", b.distances());
        ray.put("figures", b.figures());
        return ray;
    }

    private static Map<String, Object> numbers(Rays.Line l) {
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("first", l.first().label());
        line.put("last", l.last().label());
        line.put("t", l.ts());
        line.put("length", l.length());
        line.put("points", l.figures());
        return line;
    }

    private static String method(Rays.Bundle b) {
        String method = LandscapeOptions.header(b.net().file()).get("method");
        return method == null ? b.net().label() : method;
    }

    /** Bundles of a kind by method, in the order of the files; nets of one method are its seeds. */
    private Map<String, List<Rays.Bundle>> methods(Rays.Kind kind) {
        Map<String, List<Rays.Bundle>> methods = new LinkedHashMap<>();
        for (Rays.Bundle b : result.bundles()) {
            if (b.kind() == kind) {
                methods.computeIfAbsent(method(b), m -> new ArrayList<>()).add(b);
            }
        }
        return methods;
    }

    private void figure(
            Page page,
            Path folder,
            Rays.Kind kind,
            String file,
            String what,
            String axis,
            ToDoubleFunction<Figures> figure) {
        String x = kind == Rays.Kind.RAW ? "distance from the net" : "distance, 1 = as long as the filters";
        Lines lines = new Lines(what + " along " + Widths.name(kind), x, axis);
        methods(kind).forEach((method, bundles) -> {
            List<double[]> rays = new ArrayList<>();
            for (Rays.Bundle b : bundles) {
                for (Figures[] ray : b.figures()) {
                    rays.add(Arrays.stream(ray).mapToDouble(figure).toArray());
                }
            }
            double[] distances = bundles.get(0).distances();
            lines.line(label(method, bundles.size()), distances, at(rays, Statistics::mean));
            lines.band(
                    distances,
                    at(rays, v -> Arrays.stream(v).min().orElseThrow()),
                    at(rays, v -> Arrays.stream(v).max().orElseThrow()));
        });
        lines.write(folder, file + "-" + kind.name().toLowerCase(Locale.ROOT));
        page.figure(lines, what + ": mean over directions and seeds; fine lines: the lowest and the highest ray.");
    }

    private static String label(String method, int nets) {
        return nets == 1 ? method : method + ", " + nets + " nets";
    }

    private static double[] at(List<double[]> rays, ToDoubleFunction<double[]> summary) {
        double[] out = new double[rays.get(0).length];
        for (int i = 0; i < out.length; i++) {
            int column = i;
            double[] values = rays.stream().mapToDouble(r -> r[column]).toArray();
            boolean finite = Arrays.stream(values).allMatch(Double::isFinite);
            out[i] = finite ? summary.applyAsDouble(values) : Double.NaN;
        }
        return out;
    }

    private void line(Page page, Path folder, String file, String what, String axis, ToDoubleFunction<Figures> figure) {
        Lines lines = new Lines(what + " on the line from net to net", "0 = first net, 1 = last net", axis);
        for (Rays.Line line : result.lines()) {
            lines.line(
                    line.first().label() + " to " + line.last().label(),
                    line.ts(),
                    Arrays.stream(line.figures()).mapToDouble(figure).toArray());
        }
        lines.write(folder, file + "-line");
        page.figure(lines, what + " on the straight line through two nets.");
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("net", "directions", "training loss", "test error %", "width"));
        for (Rays.Bundle b : result.bundles()) {
            double width = b.width(rise);
            rows.add(List.of(
                    b.net().label(),
                    b.kind() == Rays.Kind.RAW ? "random" : "filter",
                    Statistics.format(b.figures()[0][0].trainLoss(), 4),
                    Statistics.format(100 * b.figures()[0][0].testError(), 2),
                    Double.isNaN(width)
                            ? "beyond " + Statistics.format(b.distances()[b.distances().length - 1], 3)
                            : Statistics.format(width, 3)));
        }
        return rows;
    }

    private List<String> conclusions() {
        return Widths.conclusions(
                result.bundles().stream()
                        .map(b -> new Widths.Width(
                                b.kind(),
                                method(b),
                                LandscapeOptions.seed(b.net().file()),
                                b.width(rise)))
                        .toList(),
                rise);
    }
}
