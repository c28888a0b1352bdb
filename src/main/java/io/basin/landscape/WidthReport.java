package io.basin.landscape;

import io.basin.report.Lines;
import io.basin.report.Statistics;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleBiFunction;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;

/** How wide nets are: pictures with bands, a table of widths, and what several seeds together say. */
public final class WidthReport {
    /** The figure that is drawn, and its error. */
    private record Drawn(
            String file,
            String what,
            String unit,
            double scale,
            ToDoubleFunction<LossAndError> figure,
            ToDoubleBiFunction<SamplingError, LossAndError> error) {
        double of(LossAndError f) {
            return scale * figure.applyAsDouble(f);
        }
    }

    private static final Drawn LOSS =
            new Drawn("train-loss", "training loss", "nats", 1, LossAndError::trainLoss, SamplingError::trainLoss);
    private static final Drawn ERROR =
            new Drawn("test-error", "test error", "points", 100, LossAndError::testError, SamplingError::testError);

    private final Rays.Result result;
    private final double rise;
    private final LandscapeData data;
    private final SamplingError off;
    private final LandscapeReport report;

    private WidthReport(Rays.Result result, double rise, LandscapeData data, LandscapeReport report) {
        this.result = result;
        this.rise = rise;
        this.data = data;
        off = data.samplingError();
        this.report = report;
    }

    /**
     * @param rise of the training loss, in nats, up to which a net's width reaches
     * @param data on which it was measured
     * @param said how sentences are said that name a parameter between back-quotes
     */
    public static LandscapeReport of(
            Rays.Result result,
            double rise,
            LandscapeData data,
            Map<String, String> facts,
            UnaryOperator<String> said) {
        LandscapeReport report = new LandscapeReport("Width of optima", facts);
        new WidthReport(result, rise, data, report).fill(said);
        return report;
    }

    private void fill(UnaryOperator<String> said) {
        List<String> conclusions = conclusions().stream().map(said).toList();
        report.number("rise", rise);
        report.number("rays", result.bundles().stream().map(this::numbers).toList());
        report.number("lines", result.lines().stream().map(WidthReport::numbers).toList());
        report.number("conclusions", conclusions);
        report.conclude(conclusions);
        report.conclude(List.of(off.sentence(centre())));
        report.explain(LandscapeReport.LOSS);
        report.explain(data.statistics());
        rows().forEach(report::row);
        report.define("random", "Directions drawn at random in weight space, the same for all nets.");
        report.define("filter", "The same, each filter of a direction scaled to the length of the net's own filter.");
        report.define(
                "width",
                "Distance at which the mean training loss over the directions has risen by " + rise
                        + " nats; beyond: it had not yet at the end of the rays.");
        for (Rays.Kind kind : Rays.Kind.values()) {
            figure(kind, LOSS);
            figure(kind, ERROR);
        }
        if (result.lines().isEmpty()) return;
        line(LOSS);
        line(ERROR);
    }

    private LossAndError centre() {
        return result.bundles().get(0).figures()[0][0];
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

    /** Bundles of a kind by method, in the order of the files; nets of one method are its seeds. */
    private Map<String, List<Rays.Bundle>> methods(Rays.Kind kind) {
        Map<String, List<Rays.Bundle>> methods = new LinkedHashMap<>();
        for (Rays.Bundle b : result.bundles()) {
            if (b.kind() == kind) {
                methods.computeIfAbsent(b.net().method(), m -> new ArrayList<>())
                        .add(b);
            }
        }
        return methods;
    }

    /** The rise and not the height: the nets begin at different heights. */
    private void figure(Rays.Kind kind, Drawn drawn) {
        String x = kind == Rays.Kind.RAW ? "distance from the net" : "distance, 1 = as long as the filters";
        Lines lines = new Lines("Rise of " + drawn.what() + " along " + Widths.name(kind), x, "rise, " + drawn.unit());
        methods(kind).forEach((method, bundles) -> {
            List<double[]> rays = new ArrayList<>();
            for (Rays.Bundle b : bundles) {
                for (LossAndError[] ray : b.figures()) {
                    rays.add(Arrays.stream(ray)
                            .mapToDouble(f -> drawn.of(f) - drawn.of(ray[0]))
                            .toArray());
                }
            }
            double[] distances = bundles.get(0).distances();
            lines.line(label(method, bundles.size()), distances, at(rays, Statistics::mean));
            lines.band(
                    distances,
                    at(rays, v -> Arrays.stream(v).min().orElseThrow()),
                    at(rays, v -> Arrays.stream(v).max().orElseThrow()));
        });
        double[] ends = result.bundles().get(kind.ordinal()).distances();
        ends = new double[] {0, ends[ends.length - 1]};
        LossAndError[] none = {centre(), centre()};
        double[][] band =
                off.band(none, f -> 0, f -> drawn.scale() * drawn.error().applyAsDouble(off, f));
        lines.zone(ends, band[0], band[1]);
        report.figure(
                lines,
                drawn.file() + "-" + kind.name().toLowerCase(Locale.ROOT),
                "Above the net's own: mean over directions and seeds; fine lines: the lowest and the highest ray. Grey: within"
                        + " the sampling error (95 %) of a single figure at the first net.");
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

    private void line(Drawn drawn) {
        String unit = drawn == ERROR ? "%" : drawn.unit();
        Lines lines = new Lines(
                "The line from net to net: " + drawn.what(), "0 = first net, 1 = last net", drawn.what() + ", " + unit);
        for (Rays.Line line : result.lines()) {
            double[] y = Arrays.stream(line.figures()).mapToDouble(drawn::of).toArray();
            lines.line(line.first().label() + " to " + line.last().label(), line.ts(), y);
            double[][] band = off.band(
                    line.figures(),
                    drawn::of,
                    f -> drawn.scale() * drawn.error().applyAsDouble(off, f));
            lines.shade(line.ts(), band[0], band[1]);
        }
        report.figure(
                lines,
                drawn.file() + "-line",
                "On the straight line through two nets and beyond both. Pale: sampling error (95 %).");
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
                                b.kind(), b.net().method(), b.net().header("seed"), b.width(rise)))
                        .toList(),
                rise);
    }
}
