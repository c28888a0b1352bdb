package io.basin.landscape;

import io.basin.report.Lines;
import io.basin.text.Format;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.ToDoubleFunction;
import java.util.stream.IntStream;

/** Results along curves: numbers, pictures and a page. */
public final class ConnectReport {
    private static final List<String> HEADER =
            List.of("path", "figure", "first end", "last end", "min", "max", "mean", "integral");

    private final List<Connection.Result> legs;
    private final SamplingError off;

    private ConnectReport(List<Connection.Result> legs, SamplingError off) {
        this.legs = legs;
        this.off = off;
    }

    /**
     * @param legs one after the other, each from the net where the one before ends
     * @param off by how much figures may be off
     */
    public static LandscapeReport of(List<Connection.Result> legs, SamplingError off, Map<String, String> facts) {
        LandscapeReport report = new LandscapeReport("From net to net", facts);
        new ConnectReport(legs, off).fill(report);
        return report;
    }

    private void fill(LandscapeReport report) {
        report.number("legs", legs.stream().map(ConnectReport::numbers).toList());
        rows().forEach(report::row);
        report.conclude(conclusions());
        for (Connection.Result leg : legs) {
            if (leg.freeEnds()) continue;
            report.check(
                    leg.endsAreParents(),
                    "the curve's ends have the weights of " + leg.first() + " and " + leg.last()
                            + " bit for bit, and the same losses and errors.",
                    "the curve's ends differ from " + leg.first() + " or " + leg.last()
                            + "; the largest difference of a figure is " + leg.worstEndDifference());
        }
        report.explain(LandscapeReport.LOSS);
        report.define("t", "Where on the path: whole numbers are the nets.");
        report.define("curve", "The trained path of low loss; straight line: the weights of both nets in proportion.");
        report.define("first end, last end", "The figure at the two nets that the path joins.");
        report.define(
                "with decay's term",
                "Training loss + wd/2 |w|\u00b2 over the weights that decay, which is what training lowers.");
        report.define("mean", "Over the points measured, which lie evenly in t.");
        report.define("integral", "Mean over the path's length: long stretches count more.");
        report.note(LandscapeReport.ANEW);
        draw(report);
    }

    private void draw(LandscapeReport report) {
        report.figure(
                picture(
                        "Test error along the path",
                        "test error, %",
                        f -> 100 * f.testError(),
                        f -> 100 * off.testError(f)),
                "test-error",
                "Error on the test set. At whole numbers of t stand the nets. Pale: sampling error (95 %).");
        report.figure(
                picture("Training loss along the path", "training loss, nats", LossAndError::trainLoss, off::trainLoss),
                "train-loss",
                "Loss on training data. Pale: sampling error (95 %).");
        report.figure(
                picture(
                        "Training error along the path",
                        "training error, %",
                        f -> 100 * f.trainError(),
                        f -> 100 * off.trainError(f)),
                "train-error",
                "Error on training data, not augmented. Pale: sampling error (95 %).");
        Lines regularised = new Lines(
                "Training loss with weight decay's term", "t, " + nets(), "training loss + wd/2 |w|\u00b2, nats");
        regularised.line("curve", ts(Connection.Result::curve), regularised(Connection.Result::curve));
        regularised.line("straight line", ts(Connection.Result::line), regularised(Connection.Result::line));
        report.figure(regularised, "regularised-loss", "What training lowers, on samples that are not augmented.");
    }

    private double[] regularised(Function<Connection.Result, PathMetrics> which) {
        return legs.stream()
                .flatMapToDouble(leg -> Arrays.stream(which.apply(leg).regularised()))
                .toArray();
    }

    private static Map<String, Object> numbers(Connection.Result r) {
        Map<String, Object> leg = new LinkedHashMap<>();
        leg.put("first", r.first());
        leg.put("last", r.last());
        leg.put("endsAreParents", r.endsAreParents());
        leg.put("worstEndDifference", r.worstEndDifference());
        leg.put("firstMoved", r.firstMoved());
        leg.put("lastMoved", r.lastMoved());
        leg.put("curve", path(r.curve()));
        leg.put("line", path(r.line()));
        return leg;
    }

    private static Map<String, Object> path(PathMetrics t) {
        Map<String, Object> path = new LinkedHashMap<>();
        path.put("t", t.ts());
        path.put("length", t.length());
        path.put("points", t.figures());
        path.put("trainLoss", t.of(LossAndError::trainLoss));
        path.put("trainError", t.of(LossAndError::trainError));
        path.put("regularisedLoss", t.ofRegularised());
        path.put("testLoss", t.of(LossAndError::testLoss));
        path.put("testError", t.of(LossAndError::testError));
        return path;
    }

    private Lines picture(
            String title, String axis, ToDoubleFunction<LossAndError> figure, ToDoubleFunction<LossAndError> error) {
        Lines lines = new Lines(title, "t, " + nets(), axis);
        add(lines, "curve", Connection.Result::curve, figure, error);
        add(lines, "straight line", Connection.Result::line, figure, error);
        return lines;
    }

    private void add(
            Lines lines,
            String name,
            Function<Connection.Result, PathMetrics> which,
            ToDoubleFunction<LossAndError> figure,
            ToDoubleFunction<LossAndError> error) {
        LossAndError[] points = points(which);
        double[][] band = off.band(points, figure, error);
        lines.line(name, ts(which), Arrays.stream(points).mapToDouble(figure).toArray());
        lines.shade(ts(which), band[0], band[1]);
    }

    /** {@code 0 = A: sgd, 1 = B: swa}. */
    private String nets() {
        String nets = "0 = " + legs.get(0).first();
        for (int i = 0; i < legs.size(); i++)
            nets += ", " + (i + 1) + " = " + legs.get(i).last();
        return nets;
    }

    /** Legs one after the other: leg i covers t from i to i + 1. */
    private double[] ts(Function<Connection.Result, PathMetrics> which) {
        return IntStream.range(0, legs.size())
                .boxed()
                .flatMapToDouble(
                        i -> Arrays.stream(which.apply(legs.get(i)).ts()).map(t -> i + t))
                .toArray();
    }

    private LossAndError[] points(Function<Connection.Result, PathMetrics> which) {
        return legs.stream()
                .flatMap(leg -> Arrays.stream(which.apply(leg).figures()))
                .toArray(LossAndError[]::new);
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

    private static void add(List<List<String>> rows, String path, PathMetrics t) {
        String named = path + ", length " + Format.of("%.2f", t.length());
        rows.add(row(named, "training loss", t.of(LossAndError::trainLoss), 1, 4));
        rows.add(row("", "with decay's term", t.ofRegularised(), 1, 4));
        rows.add(row("", "training error %", t.of(LossAndError::trainError), 100, 2));
        rows.add(row("", "test loss", t.of(LossAndError::testLoss), 1, 4));
        rows.add(row("", "test error %", t.of(LossAndError::testError), 100, 2));
    }

    private static List<String> row(String path, String figure, PathMetrics.Summary s, double scale, int decimals) {
        List<String> row = new ArrayList<>(List.of(path, figure));
        for (double v : new double[] {s.first(), s.last(), s.min(), s.max(), s.mean(), s.integral()}) {
            row.add(Format.of("%." + decimals + "f", scale * v));
        }
        return row;
    }

    private List<String> conclusions() {
        List<String> all = new ArrayList<>();
        for (Connection.Result leg : legs) {
            PathMetrics.Summary curve = leg.curve().of(LossAndError::testError);
            PathMetrics.Summary line = leg.line().of(LossAndError::testError);
            double worse = Math.max(curve.first(), curve.last());
            all.add(Format.of(
                    "%s to %s: the highest test error along the curve is %.2f %%, %+.2f points from the worse end's;"
                            + " along the straight line it is %.2f %%, %+.2f points.",
                    leg.first(),
                    leg.last(),
                    100 * curve.max(),
                    100 * (curve.max() - worse),
                    100 * line.max(),
                    100 * (line.max() - worse)));
            if (leg.freeEnds()) {
                all.add(Format.of(
                        "The curve's ends were trained, too: they lie %.3g from %s and %.3g from %s.",
                        leg.firstMoved(), leg.first(), leg.lastMoved(), leg.last()));
            }
        }
        all.add(off.sentence(legs.get(0).curve().figures()[0]));
        all.add("Each path joins one pair of nets; another pair gives other figures.");
        return all;
    }
}
