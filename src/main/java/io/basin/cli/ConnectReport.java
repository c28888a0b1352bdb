package io.basin.cli;

import io.basin.geometry.Connection;
import io.basin.geometry.Figures;
import io.basin.geometry.Stretch;
import io.basin.geometry.Traverse;
import io.basin.io.Json;
import io.basin.report.Lines;
import io.basin.report.Page;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What was found along curves: numbers, pictures and a page. */
final class ConnectReport {
    private static final List<String> HEADER =
            List.of("path", "figure", "first end", "last end", "min", "max", "mean", "integral");

    private final List<Connection.Result> legs;
    private final Map<String, String> facts;

    ConnectReport(List<Connection.Result> legs, Map<String, String> facts) {
        this.legs = legs;
        this.facts = facts;
    }

    void write(Path folder) {
        Map<String, Object> json = new LinkedHashMap<>();
        json.put("facts", facts);
        json.put("legs", legs.stream().map(ConnectReport::numbers).toList());
        Json.write(folder.resolve("results.json"), json);
        System.out.print(Page.text(rows()));
        System.out.println();
        conclusions().forEach(System.out::println);
        checks().forEach(System.out::println);
        System.out.println(Site.LOSS);
        Lines error = picture("Test error along the path", "test error, %", f -> 100 * f.testError());
        Lines loss = picture("Training loss along the path", "training loss, nats", Figures::trainLoss);
        error.write(folder, "test-error");
        loss.write(folder, "train-loss");
        Page page = new Page("From net to net: " + facts.get("net"));
        conclusions().forEach(page::conclusion);
        page.figure(error, "Error on the test set. At whole numbers of t stand the nets.");
        page.figure(loss, "Loss on training data.");
        page.table(rows());
        page.paragraph(Site.LOSS
                + " Integral: mean over the path's length. Batch-norm statistics are measured anew at every point.");
        page.heading("Self-checks");
        checks().forEach(page::paragraph);
        page.facts(facts).write(folder.resolve("report.html"));
        System.out.println("Report: " + folder.resolve("report.html"));
        SelfCheckException.throwIfAny(
                legs.stream().filter(leg -> !leg.endsAreParents()).count());
    }

    private static Map<String, Object> numbers(Connection.Result r) {
        Map<String, Object> leg = new LinkedHashMap<>();
        leg.put("first", r.first());
        leg.put("last", r.last());
        leg.put("endsAreParents", r.endsAreParents());
        leg.put("worstEndDifference", r.worstEndDifference());
        leg.put("curve", path(r.curve()));
        leg.put("line", path(r.line()));
        return leg;
    }

    private static Map<String, Object> path(Traverse t) {
        Map<String, Object> path = new LinkedHashMap<>();
        path.put("t", t.ts());
        path.put("length", t.length());
        path.put("points", t.figures());
        path.put("trainLoss", t.trainLoss());
        path.put("trainError", t.trainError());
        path.put("testLoss", t.testLoss());
        path.put("testError", t.testError());
        return path;
    }

    private Lines picture(String title, String axis, ToDoubleFunction<Figures> figure) {
        Lines lines = new Lines(title, "t", axis);
        lines.line("curve", ts(Connection.Result::curve), values(Connection.Result::curve, figure));
        return lines.line("straight line", ts(Connection.Result::line), values(Connection.Result::line, figure));
    }

    /** Legs one after the other: leg i covers t from i to i + 1. */
    private double[] ts(java.util.function.Function<Connection.Result, Traverse> which) {
        List<Double> ts = new ArrayList<>();
        for (int i = 0; i < legs.size(); i++)
            for (double t : which.apply(legs.get(i)).ts()) ts.add(i + t);
        return ts.stream().mapToDouble(d -> d).toArray();
    }

    private double[] values(
            java.util.function.Function<Connection.Result, Traverse> which, ToDoubleFunction<Figures> figure) {
        return legs.stream()
                .flatMap(leg -> Arrays.stream(which.apply(leg).figures()))
                .mapToDouble(figure)
                .toArray();
    }

    private List<List<String>> rows() {
        List<List<String>> rows = new ArrayList<>(List.of(HEADER));
        for (int i = 0; i < legs.size(); i++) {
            String leg = legs.size() == 1 ? "" : ", leg " + (i + 1);
            add(rows, "curve" + leg, legs.get(i).curve());
            add(rows, "straight line" + leg, legs.get(i).line());
        }
        return rows;
    }

    private static void add(List<List<String>> rows, String path, Traverse t) {
        String named = path + ", length " + String.format(Locale.ROOT, "%.2f", t.length());
        rows.add(row(named, "training loss", t.trainLoss(), 1, 4));
        rows.add(row("", "training error %", t.trainError(), 100, 2));
        rows.add(row("", "test loss", t.testLoss(), 1, 4));
        rows.add(row("", "test error %", t.testError(), 100, 2));
    }

    private static List<String> row(String path, String figure, Stretch s, double scale, int decimals) {
        List<String> row = new ArrayList<>(List.of(path, figure));
        for (double v : new double[] {s.first(), s.last(), s.min(), s.max(), s.mean(), s.integral()}) {
            row.add(String.format(Locale.ROOT, "%." + decimals + "f", scale * v));
        }
        return row;
    }

    private List<String> conclusions() {
        List<String> all = new ArrayList<>();
        for (Connection.Result leg : legs) {
            Stretch curve = leg.curve().testError();
            Stretch line = leg.line().testError();
            double worse = Math.max(curve.first(), curve.last());
            all.add(String.format(
                    Locale.ROOT,
                    "%s to %s: the highest test error along the curve is %.2f %%, %+.2f points from the worse end's;"
                            + " along the straight line it is %.2f %%, %+.2f points.",
                    leg.first(),
                    leg.last(),
                    100 * curve.max(),
                    100 * (curve.max() - worse),
                    100 * line.max(),
                    100 * (line.max() - worse)));
        }
        all.add("Each path joins one pair of nets; another pair gives other figures.");
        return all;
    }

    private List<String> checks() {
        return legs.stream()
                .map(leg -> leg.endsAreParents()
                        ? "Self-check passed: the curve's ends have the weights of " + leg.first() + " and "
                                + leg.last() + " bit for bit, and the same losses and errors."
                        : "SELF-CHECK FAILED: the curve's ends differ from " + leg.first() + " or " + leg.last()
                                + "; the largest difference of a figure is " + leg.worstEndDifference())
                .toList();
    }
}
