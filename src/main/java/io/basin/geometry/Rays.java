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

/**
 * How fast loss and error rise on the way out of nets: along the same random directions for all of them, along filter-normalised
 * ones, and along the straight line from net to net (Izmailov et al. 2018, section 3.3).
 *
 * <p>Raw directions alone would compare nets of different scale, since a net that batch norm makes indifferent to the length of
 * its filters looks wide where they are long; hence both. {@code rays.jsonl} keeps every point as soon as it is measured.
 */
public final class Rays {
    /**
     * What is measured.
     *
     * @param directions of each kind
     * @param points on each ray, the net itself not counted
     * @param distance to the end of raw rays; 0 for the first net's length
     * @param relative to the end of filter-normalised rays, where 1 is a step as long as the filters themselves
     */
    public record Course(int directions, int points, double distance, double relative, long seed) {
        public Course {
            if (directions < 1) {
                throw new IllegalArgumentException("--directions must be at least 1, got " + directions);
            }
            if (points < 1) throw new IllegalArgumentException("--points must be at least 1, got " + points);
            if (!(distance >= 0 && distance < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("--distance must not be negative, got " + distance);
            }
            if (!(relative > 0 && relative < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("--relative must be positive, got " + relative);
            }
        }
    }

    /** Raw: of length 1. Filter: every filter as long as the net's own, biases and batch norm at rest. */
    public enum Kind {
        RAW,
        FILTER
    }

    /** One net's rays of one kind: {@code figures[d][i]} at {@code distances[i]} along direction d; the net is at 0. */
    public record Bundle(Net net, Kind kind, double[] distances, Figures[][] figures) {
        /** Mean over directions of the training loss at each distance. */
        public double[] meanLoss() {
            double[] mean = new double[distances.length];
            for (Figures[] ray : figures) {
                for (int i = 0; i < mean.length; i++) mean[i] += ray[i].trainLoss() / figures.length;
            }
            return mean;
        }

        /** Where the mean training loss has risen by {@code rise}, by linear interpolation; NaN if it never does. */
        public double width(double rise) {
            double[] loss = meanLoss();
            double level = loss[0] + rise;
            for (int i = 1; i < loss.length; i++) {
                if (loss[i] < level) continue;
                double t = (level - loss[i - 1]) / (loss[i] - loss[i - 1]);
                if (!Double.isFinite(t)) t = 0;
                return distances[i - 1] + t * (distances[i] - distances[i - 1]);
            }
            return Double.NaN;
        }
    }

    /** The straight line through two nets; t = 0 at the first, 1 at the last, and beyond both. */
    public record Line(Net first, Net last, double[] ts, double length, Figures[] figures) {}

    /** What came out. */
    public record Result(List<Bundle> bundles, List<Line> lines) {}

    private final Device device;
    private final Terrain terrain;
    private final Graph graph;
    private final Course course;
    private final Path folder;
    private final Progress progress;

    public Rays(Device device, Terrain terrain, Graph graph, Course course, Path folder, Progress progress) {
        this.device = device;
        this.terrain = terrain;
        this.graph = graph;
        this.course = course;
        this.folder = folder;
        this.progress = progress;
    }

    /** @param pairs indices of nets to join by straight lines */
    public Result run(List<Net> nets, List<int[]> pairs) {
        return FolderLock.holding(folder, () -> walked(nets, pairs));
    }

    private Result walked(List<Net> nets, List<int[]> pairs) {
        String identity = terrain.identity() + ", directions=" + course.directions() + ", points=" + course.points()
                + ", distance=" + course.distance() + ", relative=" + course.relative() + ", seed=" + course.seed()
                + ", nets=" + nets.stream().map(Net::fingerprint).collect(Collectors.joining(" "));
        long total =
                nets.size() * (1L + 2L * course.directions() * course.points()) + (long) pairs.size() * linePoints();
        try (Storage storage = new Storage(true);
                Survey survey = terrain.survey(graph, storage);
                Arenas arenas = new Arenas(device, storage);
                Ledger ledger = new Ledger(folder.resolve("rays.jsonl"), identity);
                Progress.Counter counter = progress.start("measuring rays", total, "points")) {
            Walk walk = new Walk(nets, storage, arenas, ledger, counter);
            return new Result(walk.bundles(survey), walk.lines(survey, pairs));
        }
    }

    /** Such that both nets are among them. */
    private int linePoints() {
        return 4 * ((course.points() + 1) / 2) + 1;
    }

    private double[] distances(double end) {
        double[] distances = new double[course.points() + 1];
        for (int i = 0; i < distances.length; i++) distances[i] = end * i / course.points();
        return distances;
    }

    /** One run over all rays and lines, with the two arenas that every one of them is made from. */
    private final class Walk {
        private final List<Net> nets;
        private final Arenas arenas;
        private final Ledger ledger;
        private final Progress.Counter counter;
        private final Directions directions;
        private final double distance;
        private final Memory from;
        private final Memory towards;

        Walk(List<Net> nets, Storage storage, Arenas arenas, Ledger ledger, Progress.Counter counter) {
            this.nets = nets;
            this.arenas = arenas;
            this.ledger = ledger;
            this.counter = counter;
            directions = new Directions(device, storage, course.seed());
            distance = course.distance() > 0
                    ? course.distance()
                    : Vectors.norm(arenas.read(nets.get(0).file()));
            from = arenas.arena();
            towards = arenas.arena();
        }

        private Figures figures(String key, Survey.Probe probe, double... shares) {
            Figures f = ledger.figures(key, () -> probe.at(shares));
            counter.step(1);
            return f;
        }

        List<Bundle> bundles(Survey survey) {
            List<Bundle> bundles = new ArrayList<>();
            try (Survey.Probe probe = survey.probe(List.of(from, towards))) {
                for (int n = 0; n < nets.size(); n++) {
                    arenas.load(nets.get(n).file(), from);
                    Figures centre = figures(n + " centre", probe, 1, 0);
                    for (Kind kind : Kind.values()) bundles.add(bundle(n, kind, centre, probe));
                }
            }
            return bundles;
        }

        private Bundle bundle(int n, Kind kind, Figures centre, Survey.Probe probe) {
            double[] distances = distances(kind == Kind.RAW ? distance : course.relative());
            Figures[][] figures = new Figures[course.directions()][distances.length];
            for (int d = 0; d < figures.length; d++) {
                if (kind == Kind.RAW) directions.random(d, towards);
                else directions.filterNormalised(d, from, towards);
                figures[d][0] = centre;
                for (int i = 1; i < distances.length; i++) {
                    figures[d][i] = figures(n + " " + kind + " " + d + " " + i, probe, 1, distances[i]);
                }
            }
            return new Bundle(nets.get(n), kind, distances, figures);
        }

        /** From half the distance before the first net to half of it beyond the last. */
        List<Line> lines(Survey survey, List<int[]> pairs) {
            List<Line> lines = new ArrayList<>();
            try (Survey.Probe probe = survey.probe(List.of(from, towards))) {
                for (int[] pair : pairs) {
                    Net first = nets.get(pair[0]);
                    Net last = nets.get(pair[1]);
                    arenas.load(first.file(), from);
                    arenas.load(last.file(), towards);
                    double[] ts = new double[linePoints()];
                    Figures[] figures = new Figures[ts.length];
                    for (int i = 0; i < ts.length; i++) {
                        ts[i] = -0.5 + 2.0 * i / (ts.length - 1);
                        figures[i] = figures("line " + pair[0] + " " + pair[1] + " " + i, probe, 1 - ts[i], ts[i]);
                    }
                    double length = Vectors.distance(Vectors.read(device, from), Vectors.read(device, towards));
                    lines.add(new Line(first, last, ts, length, figures));
                }
            }
            return lines;
        }
    }
}
