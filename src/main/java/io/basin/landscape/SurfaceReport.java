package io.basin.landscape;

import io.basin.report.Contours;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/** What was found on a plane: where nets lie, and loss and error as contours. */
public final class SurfaceReport {
    private SurfaceReport() {}

    /** @param warnings about what is marked */
    public static LandscapeReport of(
            Surface.Result result, Surface.Grid grid, List<String> warnings, Map<String, String> facts) {
        LandscapeReport report = new LandscapeReport("A plane through weight space", facts);
        report.number("warnings", warnings);
        report.number("result", result);
        report.conclude(warnings);
        report.row(List.of("net", "x", "y", "away"));
        result.nets().forEach(p -> report.row(row(p)));
        if (result.average() != null) report.row(row(result.average()));
        result.trajectory().forEach(p -> report.row(row(p)));
        String through = "the plane goes through its nets; the largest difference of a weight is "
                + String.format(Locale.ROOT, "%.1e", result.worstNetDifference()) + ".";
        report.check(result.worstNetDifference() < 1e-5, through, through);
        report.explain(LandscapeReport.LOSS);
        if (grid.span() == Surface.Span.FILTER) report.explain(LandscapeReport.STATISTICS);
        report.note("Away: the distance of a net from the plane. Its mark is the nearest point of the plane, where the"
                + " loss is that of the plane's weights, not of the net's.");
        report.figure(
                picture(result, grid, "Training loss", "nats", LossAndError::trainLoss),
                "train-loss",
                "Training loss; levels grow from the lowest cell on, each step a multiple of the one before.");
        report.figure(
                picture(result, grid, "Test error", "%", f -> 100 * f.testError()),
                "test-error",
                "Error on the test set.");
        return report;
    }

    private static Contours picture(
            Surface.Result result,
            Surface.Grid grid,
            String title,
            String unit,
            ToDoubleFunction<LossAndError> figure) {
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
