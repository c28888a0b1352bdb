package io.basin.geometry;

import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.Storage;
import io.basin.graph.Graph;
import io.basin.io.FolderLock;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * A grid over a plane in weight space, every cell measured once.
 *
 * <p>{@code cells.jsonl} in the folder receives each cell as soon as it is measured; interrupted at any moment, the grid goes
 * on with the next cell.
 */
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
            if (cells < 2) throw new IllegalArgumentException("--grid must be at least 2, got " + cells);
            if (!(low < high))
                throw new IllegalArgumentException("--from must lie below --to, got " + low + ", " + high);
            if (!(distance >= 0 && distance < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("--distance must not be negative, got " + distance);
            }
        }
    }

    /** A net on the picture. */
    public record Placed(String label, Plane.Spot spot) {}

    /**
     * What came out.
     *
     * @param cells at (row y, column x)
     * @param average null if none was given
     * @param worstNetDifference largest difference between a weight of a net and the plane's weight at its place
     */
    public record Result(
            double[] xs,
            double[] ys,
            Figures[][] cells,
            List<Placed> nets,
            List<Placed> trajectory,
            Placed average,
            double worstNetDifference) {}

    private final Device device;
    private final Terrain terrain;
    private final Graph graph;
    private final Grid grid;
    private final Path folder;
    private final Progress progress;

    public Surface(Device device, Terrain terrain, Graph graph, Grid grid, Path folder, Progress progress) {
        this.device = device;
        this.terrain = terrain;
        this.graph = graph;
        this.grid = grid;
        this.folder = folder;
        this.progress = progress;
    }

    /** @param nets three of them, or one; {@code average} may be null */
    public Result run(List<Net> nets, List<Net> trajectory, Net average) {
        return FolderLock.holding(folder, () -> surveyed(nets, trajectory, average));
    }

    private Result surveyed(List<Net> nets, List<Net> trajectory, Net average) {
        String identity = Stream.concat(
                        Stream.of(terrain.identity(), "span=" + grid.span(), "grid=" + grid.cells()),
                        Stream.of(
                                "low=" + grid.low(),
                                "high=" + grid.high(),
                                "distance=" + grid.distance(),
                                "seed=" + grid.seed()))
                .collect(Collectors.joining(", "));
        for (Net net : nets) identity += ", net=" + net.fingerprint();
        try (Storage storage = new Storage(true);
                Survey survey = terrain.survey(graph, storage);
                Arenas arenas = new Arenas(device, storage);
                Ledger ledger = new Ledger(folder.resolve("cells.jsonl"), identity)) {
            List<Memory> points = points(storage, arenas, nets);
            float[][] host = new float[3][];
            for (int i = 0; i < 3; i++) host[i] = Vectors.read(device, points.get(i));
            Plane plane = grid.span() == Span.NETS
                    ? Plane.through(host[0], host[1], host[2])
                    : Plane.along(host[0], host[1], host[2]);
            double[] xs = axis(plane, true, host[0]);
            double[] ys = axis(plane, false, host[0]);
            List<Placed> placed = place(plane, arenas, nets);
            List<Placed> track = place(plane, arenas, trajectory);
            Placed mean = average == null
                    ? null
                    : place(plane, arenas, List.of(average)).get(0);
            try (Survey.Probe probe = survey.probe(points)) {
                double worst = worst(plane, probe, placed, grid.span() == Span.NETS ? host : new float[][] {host[0]});
                Figures[][] cells = measure(plane, probe, ledger, xs, ys);
                return new Result(xs, ys, cells, placed, track, mean, worst);
            }
        }
    }

    private List<Memory> points(Storage storage, Arenas arenas, List<Net> nets) {
        if (grid.span() == Span.NETS) {
            return nets.stream().map(n -> arenas.load(n.file())).toList();
        }
        Memory net = arenas.load(nets.get(0).file());
        Directions directions = new Directions(device, storage, grid.seed());
        List<Memory> points = new ArrayList<>(List.of(net));
        for (int i = 0; i < 2; i++) {
            Memory direction = arenas.arena();
            if (grid.span() == Span.RANDOM) directions.random(i, direction);
            else directions.filterNormalised(i, net, direction);
            points.add(direction);
        }
        return points;
    }

    private double[] axis(Plane plane, boolean horizontal, float[] net) {
        double unit = grid.distance() > 0 ? grid.distance() : grid.span() == Span.FILTER ? 1 : Vectors.norm(net) / 2;
        if (grid.span() == Span.NETS) unit = horizontal ? plane.width() : plane.height();
        double[] values = new double[grid.cells()];
        for (int i = 0; i < values.length; i++) {
            values[i] = unit * (grid.low() + (grid.high() - grid.low()) * i / (values.length - 1));
        }
        return values;
    }

    private static List<Placed> place(Plane plane, Arenas arenas, List<Net> nets) {
        return nets.stream()
                .map(n -> new Placed(n.label(), plane.project(arenas.read(n.file()))))
                .toList();
    }

    /** Where the plane goes through its nets, it must have their weights. */
    private double worst(Plane plane, Survey.Probe probe, List<Placed> placed, float[][] nets) {
        double worst = 0;
        for (int n = 0; n < nets.length; n++) {
            Plane.Spot spot = placed.get(n).spot();
            float[] w = Vectors.read(
                    device, probe.place(plane.shares(spot.x(), spot.y())).params());
            for (int i = 0; i < w.length; i++) worst = Math.max(worst, Math.abs((double) w[i] - nets[n][i]));
        }
        return worst;
    }

    private Figures[][] measure(Plane plane, Survey.Probe probe, Ledger ledger, double[] xs, double[] ys) {
        Figures[][] cells = new Figures[ys.length][xs.length];
        try (Progress.Counter counter = progress.start("measuring the plane", (long) xs.length * ys.length, "cells")) {
            for (int i = 0; i < ys.length; i++) {
                for (int j = 0; j < xs.length; j++) {
                    double[] shares = plane.shares(xs[j], ys[i]);
                    cells[i][j] = ledger.figures(i + " " + j, () -> probe.at(shares));
                    counter.step(1);
                }
            }
        }
        return cells;
    }
}
