package io.basin.cli;

import io.basin.geometry.Figures;
import io.basin.geometry.Surface;
import io.basin.io.Json;
import io.basin.report.Contours;
import io.basin.report.Page;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What was found on a plane: numbers, pictures and a page. */
final class SurfaceReport {
    private final Surface.Result result;
    private final Surface.Grid grid;
    private final List<String> warnings;
    private final Map<String, String> facts;

    SurfaceReport(Surface.Result result, Surface.Grid grid, List<String> warnings, Map<String, String> facts) {
        this.result = result;
        this.grid = grid;
        this.warnings = warnings;
        this.facts = facts;
    }

    void write(Path folder) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("facts", facts);
        json.put("warnings", warnings);
        json.put("result", result);
        Json.write(folder.resolve("results.json"), json);
        System.out.print(Page.text(rows()));
        System.out.println();
        warnings.forEach(System.out::println);
        System.out.println(check());
        explanations().forEach(System.out::println);
        Contours loss = picture("Training loss", "nats", Figures::trainLoss);
        Contours error = picture("Test error", "%", f -> 100 * f.testError());
        loss.write(folder, "train-loss");
        error.write(folder, "test-error");
        Page page = new Page("A plane through weight space: " + facts.get("net"));
        warnings.forEach(page::conclusion);
        page.figure(
                loss, "Training loss; levels grow from the lowest cell on, each step a multiple of the one before.");
        page.figure(error, "Error on the test set.");
        page.table(rows());
        page.paragraph(
                "Away: the distance of a net from the plane. Its mark is the nearest point of the plane, where the"
                        + " loss is that of the plane's weights, not of the net's.");
        explanations().forEach(page::paragraph);
        page.heading("Self-checks").paragraph(check());
        page.facts(facts).write(folder.resolve("report.html"));
        System.out.println("Report: " + folder.resolve("report.html"));
        SelfCheckException.throwIfAny(held() ? 0 : 1);
    }

    private boolean held() {
        return result.worstNetDifference() < 1e-5;
    }

    private List<String> explanations() {
        return grid.span() == Surface.Span.FILTER ? List.of(Site.LOSS, Site.STATISTICS) : List.of(Site.LOSS);
    }

    private String check() {
        return (held() ? "Self-check passed: " : "SELF-CHECK FAILED: ")
                + "the plane goes through its nets; the largest difference of a weight is "
                + String.format(Locale.ROOT, "%.1e", result.worstNetDifference()) + ".";
    }

    private Contours picture(String title, String unit, ToDoubleFunction<Figures> figure) {
        double[][] z = new double[result.ys().length][result.xs().length];
        for (int i = 0; i < z.length; i++) {
            for (int j = 0; j < z[i].length; j++) z[i][j] = figure.applyAsDouble(result.cells()[i][j]);
        }
        String axis = grid.span() == Surface.Span.FILTER ? "steps as long as each filter" : "distance in weight space";
        Contours picture = new Contours(title, axis, unit, result.xs(), result.ys(), z);
        for (Surface.Placed p : result.trajectory()) {
            picture.mark(Contours.Kind.TRAJECTORY, "", p.spot().x(), p.spot().y());
        }
        for (Surface.Placed p : result.nets()) {
            picture.mark(Contours.Kind.NET, p.label(), p.spot().x(), p.spot().y());
        }
        Surface.Placed mean = result.average();
        if (mean != null)
            picture.mark(
                    Contours.Kind.AVERAGE,
                    "average",
                    mean.spot().x(),
                    mean.spot().y());
        return picture;
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>(List.of(List.of("net", "x", "y", "away")));
        result.nets().forEach(p -> rows.add(row(p)));
        if (result.average() != null) rows.add(row(result.average()));
        result.trajectory().forEach(p -> rows.add(row(p)));
        return rows;
    }

    private static List<String> row(Surface.Placed p) {
        return List.of(
                p.label(),
                number(p.spot().x()),
                number(p.spot().y()),
                number(p.spot().away()));
    }

    private static String number(double value) {
        return String.format(Locale.ROOT, "%.3f", value);
    }
}
