package io.basin.landscape;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.io.FolderLock;
import io.basin.rounds.ShareRun;
import io.basin.text.Require;
import io.basin.train.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * A grid over a plane in weight space, every cell measured once.
 *
 * <p>{@code cells.jsonl} in the folder receives each cell as soon as it is measured; interrupted at any moment, the grid goes
 * on with the next cell.
 */
@Api
public final class Surface {
    /** How the plane is spanned. */
    public enum Span {
        /** Through three nets. */
        NETS,
        /** Around one net, along two random directions of length 1. */
        RANDOM,
        /** Around one net, along two random directions scaled filter by filter to its weights. */
        FILTER
    }

    /**
     * The grid.
     *
     * @param cells along each axis
     * @param low and high: of the axes, in units of the plane's extents, or of {@code distance} around one net
     * @param distance half the side of a plane around one net; 0 for half of the net's length, or 1 for filter-normalised axes
     */
    public record Grid(Span span, int cells, double low, double high, double distance, long seed) {
        public Grid {
            Require.given("span", span);
            if (cells < 2) throw new IllegalArgumentException("`cells` must be at least 2, got " + cells);
            if (!(low < high))
                throw new IllegalArgumentException("`low` must lie below `high`, got " + low + ", " + high);
            if (!(distance >= 0 && distance < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("`distance` must not be negative, got " + distance);
            }
        }

        /** The plane through three nets and somewhat beyond. */
        public Grid(int cells) {
            this(Span.NETS, cells, -0.25, 1.25, 0, 1);
        }
    }

    /** A curve that joins nets by its control points, ends included. */
    public record Joined(Curve curve, List<Net> points) {
        /** Pieces of the drawn line from control point to control point. */
        private static final int FINE = 30;

        public Joined {
            points = List.copyOf(points);
        }

        /** Combinations fall onto the plane where the same combinations of the points' places lie. */
        private List<Plane.Spot> along(List<Placed> places) {
            List<Plane.Spot> line = new ArrayList<>();
            for (double[] shares : curve.table(Curve.even(FINE * (points.size() - 1) + 1), points.size())) {
                double x = 0;
                double y = 0;
                for (int j = 0; j < shares.length; j++) {
                    x += shares[j] * places.get(j).spot().x();
                    y += shares[j] * places.get(j).spot().y();
                }
                line.add(new Plane.Spot(x, y, 0));
            }
            return line;
        }
    }

    /** A net on the picture. */
    public record Placed(String label, Plane.Spot spot) {}

    /**
     * The result.
     *
     * @param cells at (row y, column x)
     * @param average null if none was given
     * @param curves each as its points' places from end to end; 0 for {@code away}, which is not measured
     * @param worstNetDifference largest difference between a weight of a net and the plane's weight at its place
     */
    public record Result(
            double[] xs,
            double[] ys,
            LossAndError[][] cells,
            List<Placed> nets,
            List<Placed> trajectory,
            @Nullable Placed average,
            List<List<Plane.Spot>> curves,
            double worstNetDifference) {}

    private final LandscapeData data;
    private final Grid grid;
    private final Path folder;
    private final Progress progress;
    private @Nullable ShareRun run;

    public Surface(LandscapeData data, Grid grid, Path folder, Progress progress) {
        this.data = Require.given("data", data);
        this.grid = Require.given("grid", grid);
        this.folder = Require.given("folder", folder);
        this.progress = Require.given("progress", progress);
    }

    /** Measures cells row by row by the workers of {@code elsewhere}, to the same bits. */
    public Surface by(ShareRun elsewhere) {
        run = Require.given("elsewhere", elsewhere);
        return this;
    }

    /** @throws IllegalArgumentException if the three nets lie on a line */
    public static void requirePlane(LandscapeData data, List<Net> nets) {
        Require.given("nets", nets);
        try (Model model = new Model(Require.given("data", data).device, data.graph)) {
            List<float[]> w = nets.stream()
                    .map(n -> Vectors.read(
                            data.device, model.load(n.file()).weights().params()))
                    .toList();
            Plane.through(w.get(0), w.get(1), w.get(2));
        }
    }

    /** @param nets three of them, or one; {@code average} may be null */
    public Result run(List<Net> nets, List<Net> trajectory, @Nullable Net average) {
        return run(nets, trajectory, average, List.of());
    }

    /** The same with curves on the plane. */
    public Result run(List<Net> nets, List<Net> trajectory, @Nullable Net average, List<Joined> curves) {
        return FolderLock.holding(folder, () -> measured(nets, trajectory, average, curves));
    }

    private Result measured(List<Net> nets, List<Net> trajectory, @Nullable Net average, List<Joined> curves) {
        String identity = data.identity() + ", span=" + grid.span() + ", grid=" + grid.cells() + ", low=" + grid.low()
                + ", high=" + grid.high() + ", distance=" + grid.distance() + ", seed=" + grid.seed();
        for (Net net : nets) identity += ", net=" + net.fingerprint();
        try (Model model = new Model(data.device, data.graph);
                ResultCache cache = new ResultCache(folder.resolve("cells.jsonl"), identity);
                PointEvaluator evaluator = data.evaluator(model)) {
            List<Memory> points = points(model.store(), evaluator, nets);
            float[][] host = new float[3][];
            for (int i = 0; i < 3; i++) host[i] = Vectors.read(data.device, points.get(i));
            Plane plane = grid.span() == Span.NETS
                    ? Plane.through(host[0], host[1], host[2])
                    : Plane.along(host[0], host[1], host[2]);
            List<Placed> placed = place(plane, evaluator, nets);
            double[] ends = ends(plane, placed);
            double[] xs = axis(plane, true, host[0], ends);
            double[] ys = axis(plane, false, host[0], ends);
            // The cells of versions whose axes left a net out are others.
            String wide = ends[0] < 0 || ends[1] > plane.width() ? "wide " : "";
            List<Placed> track = place(plane, evaluator, trajectory);
            Placed mean = average == null
                    ? null
                    : place(plane, evaluator, List.of(average)).get(0);
            List<List<Plane.Spot>> lines = curves.stream()
                    .map(c -> c.along(place(plane, evaluator, c.points())))
                    .toList();
            // Statistics that are kept are those of the net last read.
            evaluator.read(nets.get(0).file());
            try (PointEvaluator.Probe probe = evaluator.probe(points)) {
                double worst = worst(plane, probe, placed, grid.span() == Span.NETS ? host : new float[][] {host[0]});
                PointTable table = table(plane, points, xs, ys, wide);
                LossAndError[][] cells = measure(table, probe, cache, model);
                return new Result(xs, ys, cells, placed, track, mean, lines, worst);
            }
        }
    }

    private List<Memory> points(ParameterStore storage, PointEvaluator evaluator, List<Net> nets) {
        if (grid.span() == Span.NETS) {
            return nets.stream().map(n -> evaluator.load(n.file())).toList();
        }
        Memory net = evaluator.load(nets.get(0).file());
        Directions directions = new Directions(data.device, storage, grid.seed());
        List<Memory> points = new ArrayList<>(List.of(net));
        for (int i = 0; i < 2; i++) {
            Memory direction = evaluator.arena();
            if (grid.span() == Span.RANDOM) directions.random(i, direction);
            else directions.filterNormalised(i, net, direction);
            points.add(direction);
        }
        return points;
    }

    /** Of x between the nets of a plane: the second one may lie before the first or beyond the last. */
    private double[] ends(Plane plane, List<Placed> nets) {
        double[] ends = {0, plane.width()};
        double second = grid.span() == Span.NETS ? nets.get(1).spot().x() : 0;
        // Not for a rounding error.
        if (second < -1e-6 * plane.width()) ends[0] = second;
        if (second > (1 + 1e-6) * plane.width()) ends[1] = second;
        return ends;
    }

    private double[] axis(Plane plane, boolean horizontal, float[] net, double[] ends) {
        double unit = grid.distance() > 0 ? grid.distance() : grid.span() == Span.FILTER ? 1 : Vectors.norm(net) / 2;
        if (grid.span() == Span.NETS) unit = horizontal ? ends[1] - ends[0] : plane.height();
        double start = grid.span() == Span.NETS && horizontal ? ends[0] : 0;
        double[] values = new double[grid.cells()];
        for (int i = 0; i < values.length; i++) {
            values[i] = start + unit * (grid.low() + (grid.high() - grid.low()) * i / (values.length - 1));
        }
        return values;
    }

    private static List<Placed> place(Plane plane, PointEvaluator evaluator, List<Net> nets) {
        return nets.stream()
                .map(n -> new Placed(n.label(), plane.project(evaluator.read(n.file()))))
                .toList();
    }

    /** The plane must have its nets' weights where it goes through them. */
    private double worst(Plane plane, PointEvaluator.Probe probe, List<Placed> placed, float[][] nets) {
        double worst = 0;
        for (int n = 0; n < nets.length; n++) {
            Plane.Spot spot = placed.get(n).spot();
            float[] w = Vectors.read(
                    data.device, probe.place(plane.shares(spot.x(), spot.y())).params());
            for (int i = 0; i < w.length; i++) worst = Math.max(worst, Math.abs((double) w[i] - nets[n][i]));
        }
        return worst;
    }

    /** Row by row. */
    private static PointTable table(Plane plane, List<Memory> points, double[] xs, double[] ys, String prefix) {
        int n = xs.length;
        double[][] shares = new double[ys.length * n][];
        for (int i = 0; i < shares.length; i++) shares[i] = plane.shares(xs[i % n], ys[i / n]);
        return new PointTable(points, shares, n, i -> prefix + i / n + " " + i % n);
    }

    private LossAndError[][] measure(PointTable table, PointEvaluator.Probe probe, ResultCache cache, Model model) {
        int n = grid.cells();
        try (Progress.Counter counter = progress.start("measuring the plane", (long) n * n, "cells")) {
            cache.counting(counter);
            LossAndError[] all = table.measure(probe, cache, run, 0, data, model);
            LossAndError[][] cells = new LossAndError[n][];
            for (int i = 0; i < n; i++) cells[i] = Arrays.copyOfRange(all, i * n, (i + 1) * n);
            return cells;
        }
    }
}
