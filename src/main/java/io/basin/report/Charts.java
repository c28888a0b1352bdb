package io.basin.report;

import io.basin.Nullable;
import io.basin.text.Format;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** The charts of schedules and of training; null where there is nothing to draw. */
public final class Charts {
    private static final int POINTS = 400;
    /** Samples that a bin needs to be drawn: the share of two or three says nothing. */
    private static final int FEWEST = 10;
    /** Of plots for a terminal, in characters. */
    private static final int WIDTH = 72;

    private static final int HEIGHT = 10;

    private Charts() {}

    /** The rate over epochs, one line a method, collections as dots. */
    public static Lines learningRates(List<Summary.Plotted> methods) {
        Lines chart = new Lines("Learning rate", "epochs", "learning rate");
        for (Summary.Plotted m : methods) {
            double[][] line = thinned(m.lr(), m.stepsPerEpoch());
            chart.line(m.method(), line[0], line[1]);
            int[] at = m.collections();
            if (at.length > 0 && at.length <= POINTS)
                chart.dots(
                        Arrays.stream(at)
                                .mapToDouble(i -> (double) i / m.stepsPerEpoch())
                                .toArray(),
                        values(m.lr(), at));
        }
        return chart;
    }

    /** The averaging weight over epochs where it is not zero. */
    public static @Nullable Lines averagingWeights(List<Summary.Plotted> methods) {
        Lines chart = new Lines("Averaging weight", "epochs", "alpha").logarithmic();
        for (Summary.Plotted m : methods) {
            int[] steps = IntStream.range(0, m.alpha().length)
                    .filter(i -> m.alpha()[i] != 0)
                    .toArray();
            double[] logs =
                    Arrays.stream(values(m.alpha(), steps)).map(Math::log10).toArray();
            int[] at = IntStream.of(kept(logs, 0.01)).map(i -> steps[i]).toArray();
            chart.line(m.method(), after(m, at), values(m.alpha(), at));
        }
        return chart.orNull();
    }

    /** The ends of updates, in epochs. */
    private static double[] after(Summary.Plotted m, int[] steps) {
        return Arrays.stream(steps)
                .mapToDouble(i -> (i + 1.0) / m.stepsPerEpoch())
                .toArray();
    }

    private static double[] values(double[] all, int[] at) {
        return Arrays.stream(at).mapToDouble(i -> all[i]).toArray();
    }

    /**
     * A figure of the runs over epochs, mean over seeds; null where a point has none.
     *
     * @param what the figure is, with its unit behind a comma
     */
    public static @Nullable Lines curves(
            Summary summary, String what, Function<Summary.Point, @Nullable Double> figure) {
        String title = what.substring(0, 1).toUpperCase(Locale.ROOT)
                + what.replaceFirst(",.*", "").substring(1);
        Lines chart = new Lines(title, "epochs", what);
        add(chart, summary.curves(), run -> run.replace("+", " and "), figure);
        return chart.orNull();
    }

    /** Validation accuracy of the running averages, and of the weights that they are averages of. */
    public static @Nullable Lines averages(Summary summary) {
        return averages(
                summary,
                new Lines("The average while it trains", "epochs", "validation accuracy, %"),
                p -> percent(p.averageAccuracy()),
                p -> percent(p.validationAccuracy()));
    }

    /** The same of their losses. */
    public static @Nullable Lines averageLosses(Summary summary) {
        Lines chart = new Lines("Loss of the average while it trains", "epochs", "validation loss");
        return averages(summary, chart, Summary.Point::averageLoss, Summary.Point::validationLoss);
    }

    private static @Nullable Lines averages(
            Summary summary,
            Lines chart,
            Function<Summary.Point, @Nullable Double> average,
            Function<Summary.Point, @Nullable Double> moving) {
        List<Summary.Curve> averaging = averaging(summary);
        add(chart, averaging, run -> averager(summary, run) + ", the average", average);
        add(chart, averaging, run -> run.split("\\+")[0] + ", moving weights", moving);
        return chart.orNull();
    }

    /** Runs whose averages were measured. */
    static List<Summary.Curve> averaging(Summary summary) {
        return summary.curves().stream()
                .filter(c -> c.points().stream().anyMatch(p -> p.averageAccuracy() != null))
                .toList();
    }

    /** Which of the methods that share a run, such as {@code sgd+ema}, its average is of. */
    static String averager(Summary summary, String run) {
        List<String> methods = List.of(run.split("\\+"));
        return summary.schedules().stream()
                .filter(s ->
                        methods.contains(s.method()) && Arrays.stream(s.alpha()).anyMatch(a -> a != 0))
                .map(Summary.Plotted::method)
                .findFirst()
                .orElse(methods.get(0));
    }

    /** Null stays null. */
    static @Nullable Double percent(@Nullable Double share) {
        return share == null ? null : 100 * share;
    }

    private static void add(
            Lines chart,
            List<Summary.Curve> curves,
            UnaryOperator<String> name,
            Function<Summary.Point, @Nullable Double> figure) {
        named(curves, name).forEach((called, seeds) -> {
            NavigableMap<Double, Double> line = means(seeds, figure);
            chart.line(
                    called,
                    line.keySet().stream().mapToDouble(d -> d).toArray(),
                    line.values().stream().mapToDouble(d -> d).toArray());
        });
    }

    /** Curves by what their runs are called: after a resume one seed's "ema" may lie beside another's "sgd+ema", and both are EMA's. */
    static Map<String, List<Summary.Curve>> named(List<Summary.Curve> curves, UnaryOperator<String> name) {
        return curves.stream()
                .collect(Collectors.groupingBy(c -> name.apply(c.run()), LinkedHashMap::new, Collectors.toList()));
    }

    /** Mean over curves, by epoch, where there is a figure. */
    static NavigableMap<Double, Double> means(
            List<Summary.Curve> curves, Function<Summary.Point, @Nullable Double> figure) {
        return curves.stream()
                .flatMap(c -> c.points().stream())
                .filter(p -> figure.apply(p) != null)
                .collect(Collectors.groupingBy(
                        Summary.Point::epoch,
                        TreeMap::new,
                        Collectors.averagingDouble(p -> Objects.requireNonNull(figure.apply(p)))));
    }

    /** Test accuracy of ensembles by their number of members, mean over seeds; null where there are none. */
    public static @Nullable Lines growth(List<Extras.Growth> all) {
        Map<String, List<List<Double>>> methods = new LinkedHashMap<>();
        all.forEach(
                g -> methods.computeIfAbsent(g.method(), k -> new ArrayList<>()).add(g.accuracy()));
        Lines chart = new Lines("Ensembles by their size", "members", "test accuracy, %");
        methods.forEach((method, seeds) -> {
            int least = seeds.stream().mapToInt(List::size).min().orElse(0);
            chart.dotted(
                    method,
                    IntStream.rangeClosed(1, least).asDoubleStream().toArray(),
                    IntStream.range(0, least)
                            .mapToDouble(i -> seeds.stream()
                                    .mapToDouble(a -> 100 * a.get(i))
                                    .average()
                                    .orElseThrow())
                            .toArray());
        });
        return chart.orNull();
    }

    /** Without the points that lie on the line between those that are kept, to less than a pixel. */
    static double[][] thinned(double[] y, int stepsPerEpoch) {
        double highest = Arrays.stream(y).map(Math::abs).max().orElse(0);
        int[] at = kept(y, 0.002 * highest);
        return new double[][] {
            Arrays.stream(at).mapToDouble(i -> (double) i / stepsPerEpoch).toArray(), values(y, at)
        };
    }

    /** Places of the values that others lie between, to within {@code tolerance} (Ramer 1972, Douglas and Peucker 1973). */
    private static int[] kept(double[] y, double tolerance) {
        if (y.length == 0) return new int[0];
        BitSet kept = new BitSet();
        kept.set(0);
        kept.set(y.length - 1);
        Deque<int[]> open = new ArrayDeque<>(List.of(new int[] {0, y.length - 1}));
        while (!open.isEmpty()) {
            int[] ends = open.pop();
            int worst = -1;
            double most = tolerance;
            for (int i = ends[0] + 1; i < ends[1]; i++) {
                double share = (double) (i - ends[0]) / (ends[1] - ends[0]);
                double off = Math.abs(y[i] - y[ends[0]] - share * (y[ends[1]] - y[ends[0]]));
                if (off <= most) continue;
                most = off;
                worst = i;
            }
            if (worst < 0) continue;
            kept.set(worst);
            open.push(new int[] {ends[0], worst});
            open.push(new int[] {worst, ends[1]});
        }
        return kept.stream().toArray();
    }

    /**
     * Mean confidence against accuracy of bins with enough samples, one line a method; null where there are none.
     *
     * @param figures whether names say each method's expected calibration error
     */
    public static @Nullable Lines reliability(List<Extras.Reliability> methods, boolean figures) {
        Lines lines = new Lines("Reliability", "mean confidence of the bin", "share that is right");
        boolean any = false;
        for (Extras.Reliability r : methods) {
            if (!r.combiner().isEmpty() && !r.combiner().equals("mean")) continue;
            List<Extras.Bin> bins =
                    r.bins().stream().filter(b -> b.count() >= FEWEST).toList();
            any |= !bins.isEmpty();
            lines.dotted(
                    figures ? Format.of("%s, ECE %.2f %%", r.method(), 100 * r.ece()) : r.method(),
                    bins.stream().mapToDouble(b -> b.confidence() / b.count()).toArray(),
                    bins.stream()
                            .mapToDouble(b -> (double) b.hits() / b.count())
                            .toArray());
        }
        return any ? lines.line("calibrated", new double[] {0, 1}, new double[] {0, 1}) : null;
    }

    /** One plot a method: the rate over epochs, and {@code ^} below where models are collected. */
    public static String text(List<Summary.Plotted> methods) {
        StringBuilder out = new StringBuilder();
        methods.forEach(m -> plot(out, m));
        return out.toString();
    }

    private static void plot(StringBuilder out, Summary.Plotted m) {
        double max = Arrays.stream(m.lr()).max().orElse(1);
        char[][] cells = new char[HEIGHT][WIDTH];
        for (char[] row : cells) Arrays.fill(row, ' ');
        int steps = m.lr().length;
        for (int x = 0; x < WIDTH; x++) {
            double lr = m.lr()[(int) ((long) x * steps / WIDTH)];
            cells[HEIGHT - 1 - (int) Math.round(lr / max * (HEIGHT - 1))][x] = '*';
        }
        char[] marks = new char[WIDTH];
        Arrays.fill(marks, ' ');
        for (int s : m.collections()) marks[(int) ((long) s * WIDTH / steps)] = '^';
        out.append(m.method()).append(", learning rate\n");
        for (int y = 0; y < HEIGHT; y++) {
            out.append(Format.of(
                    "%8.4f |%s%n", max * (HEIGHT - 1 - y) / (HEIGHT - 1), new String(cells[y]).stripTrailing()));
        }
        out.append(" ".repeat(9)).append('+').append("-".repeat(WIDTH)).append('\n');
        String below = new String(marks).stripTrailing();
        if (!below.isEmpty()) out.append(" ".repeat(10)).append(below).append("  ^ collects\n");
        out.append(Format.of("%10s0%" + (WIDTH - 1) + ".1f epochs%n%n", "", (double) steps / m.stepsPerEpoch()));
    }
}
