package io.basin.landscape;

import io.basin.Api;
import io.basin.data.Progress;
import io.basin.device.Memory;
import io.basin.device.ParameterStore;
import io.basin.io.FolderLock;
import io.basin.text.Require;
import io.basin.train.Model;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * How fast loss and error rise on the way out of nets: along the same random directions for all of them, along filter-normalised
 * ones, and along the straight line from net to net (Izmailov et al. 2018, section 3.3).
 *
 * <p>Raw directions alone would compare nets of different scale, since a net that batch norm makes indifferent to the length of
 * its filters looks wide where they are long: so it measures both. {@code rays.jsonl} keeps every point as soon as it is measured.
 */
@Api
public final class Rays {
    /** How often rays are made twice as long, at most. */
    private static final int DOUBLINGS = 3;

    /**
     * Settings of the measurement.
     *
     * @param directions of each kind
     * @param points on each ray, the net itself not counted
     * @param distance to the end of raw rays; 0 for the first net's length
     * @param relative to the end of filter-normalised rays, where 1 is a step as long as the filters themselves
     */
    public record Config(int directions, int points, double distance, double relative, long seed) {
        public Config {
            if (directions < 1) {
                throw new IllegalArgumentException("`directions` must be at least 1, got " + directions);
            }
            if (points < 1) throw new IllegalArgumentException("`points` must be at least 1, got " + points);
            if (!(distance >= 0 && distance < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("`distance` must not be negative, got " + distance);
            }
            if (!(relative > 0 && relative < Double.POSITIVE_INFINITY)) {
                throw new IllegalArgumentException("`relative` must be positive, got " + relative);
            }
        }

        /** As long as the first net, and as its filters. */
        public Config(int directions, int points) {
            this(directions, points, 0, 1, 1);
        }
    }

    /** Raw: of length 1. Filter: every filter as long as the net's own, biases and batch norm at rest. */
    public enum Kind {
        RAW,
        FILTER
    }

    /** One net's rays of one kind: {@code figures[d][i]} at {@code distances[i]} along direction d; the net is at 0. */
    public record Bundle(Net net, Kind kind, double[] distances, LossAndError[][] figures) {
        /** Mean over directions of the training loss at each distance. */
        public double[] meanLoss() {
            double[] mean = new double[distances.length];
            for (LossAndError[] ray : figures) {
                for (int i = 0; i < mean.length; i++) mean[i] += ray[i].trainLoss() / figures.length;
            }
            return mean;
        }

        /** The distance at which the mean training loss has risen by {@code rise}, by linear interpolation; NaN if it never does. */
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
    public record Line(Net first, Net last, double[] ts, double length, LossAndError[] figures) {}

    /** The result. */
    public record Result(List<Bundle> bundles, List<Line> lines) {}

    private final LandscapeData data;
    private final Config config;
    private final Path folder;
    private final Progress progress;

    public Rays(LandscapeData data, Config config, Path folder, Progress progress) {
        this.data = Require.given("data", data);
        this.config = Require.given("config", config);
        this.folder = Require.given("folder", folder);
        this.progress = Require.given("progress", progress);
    }

    /** @param pairs indices of nets to join by straight lines */
    public Result run(List<Net> nets, List<int[]> pairs) {
        return FolderLock.holding(folder, () -> measured(nets, pairs, 0));
    }

    /**
     * The same, with rays of a kind made longer, up to eight times as long, until the mean training loss of every net has risen by
     * {@code rise} nats along them. Points on what is added lie twice as far apart each time.
     */
    public Result run(List<Net> nets, List<int[]> pairs, double rise) {
        if (!(rise > 0)) throw new IllegalArgumentException("`rise` must be positive, got " + rise);
        return FolderLock.holding(folder, () -> measured(nets, pairs, rise));
    }

    private Result measured(List<Net> nets, List<int[]> pairs, double rise) {
        String identity = data.identity() + ", directions=" + config.directions() + ", points=" + config.points()
                + ", distance=" + config.distance() + ", relative=" + config.relative() + ", seed=" + config.seed()
                + ", nets=" + nets.stream().map(Net::fingerprint).collect(Collectors.joining(" "));
        long total =
                nets.size() * (1L + 2L * config.directions() * config.points()) + (long) pairs.size() * linePoints();
        try (Model model = new Model(data.device, data.graph);
                ResultCache cache = new ResultCache(folder.resolve("rays.jsonl"), identity);
                PointEvaluator evaluator = data.evaluator(model);
                Walk walk = new Walk(nets, model.store(), evaluator, cache);
                Progress.Counter counter = progress.start("measuring rays", total, "points")) {
            cache.counting(counter);
            List<Bundle> bundles = walk.bundles();
            List<Line> lines = walk.lines(pairs);
            return new Result(rise > 0 ? walk.lengthened(bundles, rise) : bundles, lines);
        }
    }

    /** Such that both nets are among them. */
    private int linePoints() {
        return 4 * ((config.points() + 1) / 2) + 1;
    }

    private double[] distances(double end) {
        double[] distances = new double[config.points() + 1];
        for (int i = 0; i < distances.length; i++) distances[i] = end * i / config.points();
        return distances;
    }

    /** Twice as far, in steps twice the last at most. */
    private static double[] longer(double[] distances) {
        int n = distances.length;
        double end = distances[n - 1];
        double step = 2 * (end - distances[n - 2]);
        int more = (int) Math.ceil(end / step - 1e-9);
        double[] longer = Arrays.copyOf(distances, n + more);
        for (int i = 0; i < more; i++) longer[n + i] = end + end * (i + 1) / more;
        return longer;
    }

    /** One run over all rays and lines, with the two arenas that every one of them is made from. */
    private final class Walk implements AutoCloseable {
        private final List<Net> nets;
        private final PointEvaluator evaluator;
        private final ResultCache cache;
        private final Directions directions;
        private final double distance;
        private final Memory from;
        private final Memory towards;
        private final PointEvaluator.Probe probe;

        Walk(List<Net> nets, ParameterStore storage, PointEvaluator evaluator, ResultCache cache) {
            this.nets = nets;
            this.evaluator = evaluator;
            this.cache = cache;
            directions = new Directions(data.device, storage, config.seed());
            distance = config.distance() > 0
                    ? config.distance()
                    : Vectors.norm(evaluator.read(nets.get(0).file()));
            from = evaluator.arena();
            towards = evaluator.arena();
            probe = evaluator.probe(List.of(from, towards));
        }

        private LossAndError figures(String key, double... shares) {
            return cache.figures(key, () -> probe.at(shares));
        }

        List<Bundle> bundles() {
            List<Bundle> bundles = new ArrayList<>();
            for (int n = 0; n < nets.size(); n++) {
                evaluator.load(nets.get(n).file(), from);
                LossAndError centre = figures(n + " centre", 1, 0);
                for (Kind kind : Kind.values()) bundles.add(bundle(n, kind, centre));
            }
            return bundles;
        }

        private Bundle bundle(int n, Kind kind, LossAndError centre) {
            LossAndError[][] figures = new LossAndError[config.directions()][1];
            for (LossAndError[] ray : figures) ray[0] = centre;
            return measured(n, kind, figures, distances(kind == Kind.RAW ? distance : config.relative()));
        }

        /** Goes on from what is known of each ray to all of {@code distances}; the net lies at {@code from}. */
        private Bundle measured(int n, Kind kind, LossAndError[][] known, double[] distances) {
            LossAndError[][] figures = new LossAndError[known.length][];
            for (int d = 0; d < figures.length; d++) {
                if (kind == Kind.RAW) directions.random(d, towards);
                else directions.filterNormalised(d, from, towards);
                figures[d] = Arrays.copyOf(known[d], distances.length);
                for (int i = known[d].length; i < distances.length; i++) {
                    figures[d][i] = figures(n + " " + kind + " " + d + " " + i, 1, distances[i]);
                }
            }
            return new Bundle(nets.get(n), kind, distances, figures);
        }

        /** The rays of all nets of a kind together, so that they can be compared. */
        List<Bundle> lengthened(List<Bundle> bundles, double rise) {
            List<Bundle> all = new ArrayList<>(bundles);
            for (int k = 0; k < DOUBLINGS; k++) {
                for (Kind kind : Kind.values()) {
                    if (all.stream().noneMatch(b -> b.kind() == kind && Double.isNaN(b.width(rise)))) continue;
                    double[] longer = longer(all.get(kind.ordinal()).distances());
                    long more = (long) longer.length - all.get(kind.ordinal()).distances().length;
                    long total = (long) nets.size() * config.directions() * more;
                    try (Progress.Counter counter = progress.start("lengthening the rays", total, "points")) {
                        cache.counting(counter);
                        all.replaceAll(b -> b.kind() == kind ? extended(b, longer) : b);
                    }
                }
            }
            return all;
        }

        private Bundle extended(Bundle b, double[] distances) {
            evaluator.load(b.net().file(), from);
            return measured(nets.indexOf(b.net()), b.kind(), b.figures(), distances);
        }

        /** From half the distance before the first net to half of it beyond the last. */
        List<Line> lines(List<int[]> pairs) {
            List<Line> lines = new ArrayList<>();
            for (int[] pair : pairs) {
                Net first = nets.get(pair[0]);
                Net last = nets.get(pair[1]);
                evaluator.load(first.file(), from);
                evaluator.load(last.file(), towards);
                double[] ts = new double[linePoints()];
                LossAndError[] figures = new LossAndError[ts.length];
                for (int i = 0; i < ts.length; i++) {
                    ts[i] = -0.5 + 2.0 * i / (ts.length - 1);
                    figures[i] = figures("line " + pair[0] + " " + pair[1] + " " + i, 1 - ts[i], ts[i]);
                }
                double length = Vectors.distance(Vectors.read(data.device, from), Vectors.read(data.device, towards));
                lines.add(new Line(first, last, ts, length, figures));
            }
            return lines;
        }

        @Override
        public void close() {
            probe.close();
        }
    }
}
