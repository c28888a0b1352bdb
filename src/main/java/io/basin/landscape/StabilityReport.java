package io.basin.landscape;

import io.basin.report.Lines;
import io.basin.text.Format;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.ToDoubleFunction;
import java.util.function.UnaryOperator;

/** Results between the children of checkpoints: numbers, pictures, a page, and the step from which averaging is safe. */
public final class StabilityReport {
    private static final List<String> HEADER = List.of(
            "step", "of the budget", "error of the children %", "highest on the line %", "barrier, points", "stable");

    /** Standard errors: the one above which a barrier counts, and the normal distribution's quantile of 0.8. */
    private static final double FOUND = 1.84;

    private final List<Stability.Line> lines;
    private final int steps;
    private final int samples;

    private StabilityReport(List<Stability.Line> lines, int steps, int samples) {
        this.lines = lines;
        this.steps = steps;
        this.samples = samples;
    }

    /**
     * @param steps of the whole run
     * @param warm of its warm-up, which a start of averaging does not count
     * @param samples held out, on which errors were measured
     * @param said puts the caller's words in the place of parameters
     */
    public static LandscapeReport of(
            List<Stability.Line> lines,
            int steps,
            int warm,
            int samples,
            Map<String, String> facts,
            UnaryOperator<String> said) {
        LandscapeReport report = new LandscapeReport("From where on training is stable", facts);
        new StabilityReport(lines, steps, samples).fill(report, warm, said);
        return report;
    }

    /** The start of averaging that {@code lines} recommend, a fraction of what follows the warm-up; NaN where none was stable. */
    public static double start(List<Stability.Line> lines, int steps, int warm, int samples) {
        int first = Stability.stableFrom(lines, samples);
        if (first == lines.size()) return Double.NaN;
        return Math.max(0, lines.get(first).step() - warm) / (double) (steps - warm);
    }

    private void fill(LandscapeReport report, int warm, UnaryOperator<String> said) {
        double start = start(lines, steps, warm, samples);
        report.number("lines", lines);
        report.number("heldOut", samples);
        report.number("start", start);
        report.row(HEADER);
        for (Stability.Line l : lines) report.row(row(l));
        report.conclude(List.of(said.apply(conclusion(start)), said.apply(power())));
        report.explain(
                "Barrier: the highest held-out error on the straight line between two nets that were trained on from one"
                        + " checkpoint with other orders of samples, above the mean of their own errors; stable: not above the"
                        + " sampling error of " + samples + " held-out samples, there and at all later checkpoints.");
        report.note(LandscapeReport.ANEW);
        double[] x = lines.stream().mapToDouble(this::share).toArray();
        Lines barriers =
                new Lines("Error barrier between two children", "trained before they part, of the budget", "points");
        barriers.dotted(
                "barrier", x, lines.stream().mapToDouble(l -> 100 * l.barrier()).toArray());
        barriers.line(
                "sampling error",
                x,
                lines.stream().mapToDouble(l -> 100 * l.samplingError(samples)).toArray());
        report.figure(
                barriers, "barrier", "Below the sampling error the children lie in one basin, and have a useful mean.");
        report.figure(
                along("Held-out error from child to child", "held-out error, %", f -> 100 * f.testError()),
                "held-out-error",
                "One line for each checkpoint at which the children part; at 0 and 1 stand the children.");
        report.figure(
                along("Training loss from child to child", "training loss, nats", LossAndError::trainLoss),
                "train-loss",
                "On a part of the training samples.");
    }

    private double share(Stability.Line line) {
        return (double) line.step() / steps;
    }

    private List<String> row(Stability.Line l) {
        double highest = l.barrier() + l.endError();
        return List.of(
                Integer.toString(l.step()),
                Format.of("%.2f", share(l)),
                Format.of("%.2f", 100 * l.endError()),
                Format.of("%.2f", 100 * highest),
                Format.of("%+.2f", 100 * l.barrier())
                        + Format.of(" (sampling error %.2f)", 100 * l.samplingError(samples)),
                lines.indexOf(l) >= Stability.stableFrom(lines, samples) ? "yes" : "no");
    }

    private String conclusion(double start) {
        if (Double.isNaN(start)) {
            return "No checkpoint is stable: children of the last one, of step "
                    + lines.get(lines.size() - 1).step() + " of " + steps
                    + ", still have a barrier between them. Averages of this training mix basins: train longer.";
        }
        int step = lines.get(Stability.stableFrom(lines, samples)).step();
        if (step == 0) {
            return "Stable from the first weights on: nets trained with any order of samples lie in one basin, and averaging may"
                    + " start anywhere, as far as this test goes.";
        }
        return "Stable from step " + step + " of " + steps + " on: averaging is safe with `swa.start` "
                + Format.of("%.2f", start) + " or later. When it pays is another question: compare.";
    }

    /** How small a barrier is found: it counts above one standard error, and one of {@link #FOUND} of them mostly lies above that. */
    private String power() {
        double error =
                lines.stream().mapToDouble(l -> l.samplingError(samples)).max().orElseThrow();
        return Format.of(
                "What %d %s on %d held-out samples can tell: a barrier of %.2f points or more is found in four of five cases,"
                        + " smaller ones are easily taken for none (more samples of `validation` find smaller ones); the step is"
                        + " known to within %d (more `checkpoints` place it finer).",
                lines.size(),
                lines.size() == 1 ? "checkpoint" : "checkpoints",
                samples,
                100 * FOUND * error,
                (steps + lines.size() - 1) / lines.size());
    }

    private Lines along(String title, String axis, ToDoubleFunction<LossAndError> figure) {
        Lines all = new Lines(title, "place on the line", axis);
        Map<String, Stability.Line> named = new LinkedHashMap<>();
        lines.forEach(l -> named.put("step " + l.step(), l));
        named.forEach((name, l) -> all.line(
                name,
                Curve.even(l.line().size()),
                l.line().stream().mapToDouble(figure).toArray()));
        return all;
    }
}
