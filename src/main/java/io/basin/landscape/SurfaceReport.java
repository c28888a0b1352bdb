package io.basin.landscape;

import io.basin.report.Contours;
import io.basin.report.Relief;
import io.basin.text.Format;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.stream.Stream;

/** Results on a plane: the nets' places, the lowest loss and error, and both as contours and as hills. */
public final class SurfaceReport {
    private final Surface.Result result;
    private final Surface.Grid grid;
    private final LandscapeData data;
    private final SamplingError off;
    private final LandscapeReport report;

    private SurfaceReport(Surface.Result result, Surface.Grid grid, LandscapeData data, LandscapeReport report) {
        this.result = result;
        this.grid = grid;
        this.data = data;
        off = data.samplingError();
        this.report = report;
    }

    /**
     * @param data on which it was measured
     * @param warnings about what is marked
     */
    public static LandscapeReport of(
            Surface.Result result,
            Surface.Grid grid,
            LandscapeData data,
            List<String> warnings,
            Map<String, String> facts) {
        LandscapeReport report = new LandscapeReport("A plane through weight space", facts);
        report.number("warnings", warnings);
        report.number("result", result);
        new SurfaceReport(result, grid, data, report).fill();
        report.conclude(warnings);
        return report;
    }

    private void fill() {
        report.row(List.of("net", "x", "y", "away"));
        places().forEach(p -> report.row(row(p)));
        String through = "the plane goes through its nets; the largest difference of a weight is "
                + Format.of("%.1e", result.worstNetDifference()) + ".";
        report.check(result.worstNetDifference() < 1e-5, through, through);
        report.conclude(List.of(
                lowest("training loss", "%.4f nats", LossAndError::trainLoss) + ".",
                lowest("test error", "%.2f %%", f -> 100 * f.testError()) + "; " + alike(),
                off.sentence(best(LossAndError::testError))));
        report.explain(LandscapeReport.LOSS);
        if (grid.span() == Surface.Span.FILTER) report.explain(data.statistics());
        else report.note(LandscapeReport.ANEW);
        report.define("x, y", "Where on the plane: distances from the first net along two directions at right angles.");
        report.define(
                "away",
                "Distance of a net from the plane. Its mark is the nearest point of the plane, where the loss is that of the"
                        + " plane's weights, not of the net's.");
        pictures("Training loss", "nats", "train-loss", LossAndError::trainLoss, off::trainLoss);
        pictures("Test error", "%", "test-error", f -> 100 * f.testError(), f -> 100 * off.testError(f));
    }

    private Stream<Surface.Placed> marked() {
        return Stream.concat(result.nets().stream(), Stream.ofNullable(result.average()));
    }

    private Stream<Surface.Placed> places() {
        return Stream.concat(marked(), result.trajectory().stream());
    }

    private LossAndError best(ToDoubleFunction<LossAndError> figure) {
        return Arrays.stream(result.cells())
                .flatMap(Arrays::stream)
                .min(Comparator.comparingDouble(figure))
                .orElseThrow();
    }

    private String lowest(String what, String format, ToDoubleFunction<LossAndError> figure) {
        LossAndError best = best(figure);
        for (int i = 0; i < result.ys().length; i++) {
            for (int j = 0; j < result.xs().length; j++) {
                if (!result.cells()[i][j].equals(best)) continue;
                double x = result.xs()[j];
                double y = result.ys()[i];
                Comparator<Surface.Placed> near = Comparator.comparingDouble(p -> distance(p, x, y));
                Surface.Placed net = marked().min(near).orElseThrow();
                return Format.of(
                        "The lowest " + what + " of the plane's points is " + format + ", at (%s, %s), %s from %s",
                        figure.applyAsDouble(best),
                        number(x),
                        number(y),
                        number(distance(net, x, y)),
                        net.label());
            }
        }
        throw new IllegalStateException();
    }

    private static double distance(Surface.Placed p, double x, double y) {
        return StrictMath.hypot(p.spot().x() - x, p.spot().y() - y);
    }

    /** How many points are as good as the lowest, as far as the test samples can tell. */
    private String alike() {
        LossAndError best = best(LossAndError::testError);
        double within = best.testError() + off.testError(best);
        long alike = Arrays.stream(result.cells())
                .flatMap(Arrays::stream)
                .filter(f -> f.testError() <= within)
                .count();
        long all = (long) result.xs().length * result.ys().length;
        return alike + " of " + all + " points lie within one standard error of it.";
    }

    private void pictures(
            String title,
            String unit,
            String file,
            ToDoubleFunction<LossAndError> figure,
            ToDoubleFunction<LossAndError> error) {
        double[][] z = Arrays.stream(result.cells())
                .map(row -> Arrays.stream(row).mapToDouble(figure).toArray())
                .toArray(double[][]::new);
        double step = error.applyAsDouble(best(figure));
        String axis = grid.span() == Surface.Span.FILTER ? "steps as long as each filter" : "distance in weight space";
        Contours flat = new Contours(title, axis, unit, result.xs(), result.ys(), z, step);
        Relief hills = new Relief(title, unit, result.xs(), result.ys(), z, step);
        mark(flat, hills);
        String levels = "Neighbouring levels differ by the standard error at the lowest point or more."
                + (result.curves().isEmpty() ? "" : " Thick line: the trained curve, projected.")
                + (flat.stretch() == 1 ? " Both axes have one scale." : stretched(flat.stretch()));
        report.figure(flat, file, title + ". " + levels);
        report.figure(
                hills,
                file + "-3d",
                title + " as hills over the plane; both axes are drawn equally long, the highest tenth is cut off.");
    }

    private static String stretched(double by) {
        return Format.of(
                " A unit of %s is drawn %.3g times as long as one of %s.",
                by > 1 ? "y" : "x", by > 1 ? by : 1 / by, by > 1 ? "x" : "y");
    }

    private void mark(Contours flat, Relief hills) {
        for (List<Plane.Spot> curve : result.curves()) {
            flat.line(
                    curve.stream().mapToDouble(Plane.Spot::x).toArray(),
                    curve.stream().mapToDouble(Plane.Spot::y).toArray());
        }
        result.trajectory()
                .forEach(p -> flat.mark(
                        Contours.Kind.TRAJECTORY, "", p.spot().x(), p.spot().y()));
        result.nets()
                .forEach(p -> flat.mark(
                        Contours.Kind.NET, p.label(), p.spot().x(), p.spot().y()));
        Surface.Placed mean = result.average();
        if (mean != null) {
            flat.mark(
                    Contours.Kind.AVERAGE,
                    "average",
                    mean.spot().x(),
                    mean.spot().y());
        }
        marked().forEach(p -> hills.mark(p.label(), p.spot().x(), p.spot().y()));
    }

    private static List<String> row(Surface.Placed p) {
        return List.of(
                p.label(),
                number(p.spot().x()),
                number(p.spot().y()),
                number(p.spot().away()));
    }

    private static String number(double value) {
        return Format.of("%.3f", value);
    }
}
