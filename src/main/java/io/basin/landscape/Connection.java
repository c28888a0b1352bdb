package io.basin.landscape;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Weights;
import io.basin.io.FolderLock;
import io.basin.io.FormatException;
import io.basin.io.Notices;
import io.basin.rounds.ShareRun;
import io.basin.text.Require;
import io.basin.train.Checkpoint;
import io.basin.train.Difference;
import io.basin.train.Model;
import io.basin.train.ModelHeader;
import io.basin.train.Trainer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;

/**
 * Joins two nets by a trained curve and measures it beside the straight line.
 *
 * <p>The folder holds {@code curve.safetensors} (bends and their momentum, after every epoch), {@code training.jsonl}, {@code
 * points.jsonl} and at the end {@code bend-<j>.safetensors}, models like any other, those of free ends among them. Interrupted at any moment, it goes on.
 */
@Api
public final class Connection {
    private static final Trainer.Layout FILES = new Trainer.Layout(
            "curve.safetensors",
            "training.jsonl",
            "identity",
            false,
            "restore it from a copy, or delete it and curve.safetensors in %s to train the curve again");

    /** Points that a worker measures at a time. */
    private static final int STRETCH = 4;

    /**
     * The result: the curve, the straight line between the nets, and whether the curve's ends are these nets.
     *
     * @param freeEnds whether the ends were trained, too
     * @param firstMoved how far training moved the first end
     */
    public record Result(
            String first,
            String last,
            PathMetrics curve,
            PathMetrics line,
            boolean endsAreParents,
            double worstEndDifference,
            boolean freeEnds,
            double firstMoved,
            double lastMoved) {}

    private final LandscapeData data;
    private final CurveTraining.CurveConfig config;
    private final Path folder;
    private final Progress progress;
    private @Nullable ShareRun run;
    private int leg;

    public Connection(LandscapeData data, CurveTraining.CurveConfig config, Path folder, Progress progress) {
        this.data = Require.given("data", data);
        this.config = Require.given("config", config);
        this.folder = Require.given("folder", folder);
        this.progress = Require.given("progress", progress);
    }

    /**
     * Measures points by the workers of {@code elsewhere}, to the same bits.
     *
     * @param number of this connection among those that share it, from 0
     */
    public Connection by(ShareRun elsewhere, int number) {
        run = Require.given("elsewhere", elsewhere);
        leg = number;
        return this;
    }

    /** Trains what is not trained yet, measures what is not measured yet. */
    public Result run(Net first, Net last, int points) {
        return FolderLock.holding(folder, () -> joined(first, last, points));
    }

    private Result joined(Net first, Net last, int points) {
        String identity = data.identity() + ends(first, last) + describe();
        Images train = data.splits.train();
        try (CurveTraining training =
                new CurveTraining(data.device, data.graph, train, config, first.file(), last.file())) {
            train(training, identity, first.label() + " to " + last.label());
            try (PointEvaluator evaluator = data.evaluator(training.model());
                    ResultCache cache =
                            new ResultCache(folder.resolve("points.jsonl"), identity + ", points=" + points)) {
                Result result = measure(training, evaluator, cache, first, last, points);
                keepBends(training, evaluator, identity);
                return result;
            }
        }
    }

    private String describe() {
        var s = config.settings();
        return "curve=" + config.curve() + ", bends=" + config.bends() + ", steps="
                + config.schedule().steps() + ", lr=" + config.schedule().lr(0) + ", " + config.step()
                + ", decay everything=" + s.decayEverything() + ", smoothing=" + s.smoothing() + ", seed="
                + config.seed() + (config.freeEnds() ? ", free ends" : "");
    }

    private void train(CurveTraining training, String identity, String label) {
        Map<String, String> about = metadata("curve");
        about.put(FILES.identity(), identity);
        try (Shown shown = new Shown(progress, "curve from " + label, training.steps())) {
            new Trainer(training, data.splits.stepsPerEpoch(), folder, 0, about, false, shown)
                    .keeping(FILES)
                    .run();
        }
    }

    /** Counts the steps that this process trains: where they begin is known once the first is done. */
    private static final class Shown implements Trainer.Listener, AutoCloseable {
        private final Progress progress;
        private final String task;
        private final int steps;
        private Progress.@Nullable Counter counter;

        Shown(Progress progress, String task, int steps) {
            this.progress = progress;
            this.task = task;
            this.steps = steps;
        }

        @Override
        public void onStep(int step) {
            if (counter == null) counter = progress.start(task, steps - step + 1, "steps");
            counter.step(1);
        }

        @Override
        public void close() {
            if (counter != null) counter.close();
        }
    }

    private Map<String, String> metadata(String what) {
        String method = what + " of a " + config.curve() + " curve";
        Map<String, String> header = data.splits.header(config.settings().model(), method, "");
        header.put("seed", Long.toString(config.seed()));
        header.put("control_points", Integer.toString(config.points()));
        return header;
    }

    /**
     * Checks that control points are those of one curve between two nets.
     *
     * @param moved points that training moved; of versions that did not say which curve they are of, with a warning
     * @throws FormatException naming the file that is of another
     */
    public static void requireOfOne(List<Path> moved, Path first, Path last) {
        Require.given("moved", moved);
        String ends = ends(new Net("", Require.given("first", first)), new Net("", Require.given("last", last)));
        String whole = null;
        for (Path file : moved) {
            Map<String, String> header = ModelHeader.of(file).header();
            String said = header.getOrDefault(FILES.identity(), "");
            if (said.isEmpty()) {
                Notices.once(file + " does not say of which curve it is: an older version wrote it");
                continue;
            }
            if (whole == null) whole = said;
            String number = file.getFileName().toString().replaceAll("\\D", "");
            boolean here = header.getOrDefault("method", "").startsWith("bend " + number + " ");
            if (!here || !said.equals(whole) || !said.contains(ends)) {
                throw new FormatException(
                        file.toString(),
                        "is of another curve: restore it from a copy, or let 'basin connect' make it again");
            }
        }
    }

    private static String ends(Net first, Net last) {
        return ", first=" + first.fingerprint() + ", last=" + last.fingerprint() + ", ";
    }

    private static double apart(LossAndError a, LossAndError b) {
        return Math.max(
                Math.max(Math.abs(a.trainLoss() - b.trainLoss()), Math.abs(a.testLoss() - b.testLoss())),
                Math.max(Math.abs(a.trainError() - b.trainError()), Math.abs(a.testError() - b.testError())));
    }

    private Result measure(
            CurveTraining training, PointEvaluator evaluator, ResultCache cache, Net first, Net last, int points) {
        double[] ts = Curve.even(points);
        List<Memory> all = training.points();
        List<Memory> ends = List.of(evaluator.load(first.file()), evaluator.load(last.file()));
        double[] moved = {apart(all.get(0), ends.get(0)), apart(all.get(all.size() - 1), ends.get(1))};
        double[][] bent = config.curve().table(ts, all.size());
        try (Progress.Counter counter = progress.start("measuring points", 2L * points + 2, "points");
                PointEvaluator.Probe curve = evaluator.probe(all);
                PointEvaluator.Probe line = evaluator.probe(ends)) {
            cache.counting(counter);
            // The nets themselves, read from their files again: the curve's ends must reproduce them.
            LossAndError a = cache.figures(
                    "first",
                    () -> evaluator.measure(training.model().load(first.file()).weights()));
            LossAndError b = cache.figures(
                    "last",
                    () -> evaluator.measure(training.model().load(last.file()).weights()));
            Model model = training.model();
            PathMetrics along = path("curve", ts, bent, all, curve, cache, model);
            PathMetrics across = path("line", ts, Curve.POLYCHAIN.table(ts, 2), ends, line, cache, model);
            boolean same = Arrays.equals(weights(curve.place(bent[0])), Vectors.read(data.device, ends.get(0)))
                    && Arrays.equals(weights(curve.place(bent[points - 1])), Vectors.read(data.device, ends.get(1)));
            double worst = Math.max(apart(a, along.figures()[0]), apart(b, along.figures()[points - 1]));
            return new Result(
                    first.label(),
                    last.label(),
                    along,
                    across,
                    same && worst == 0,
                    worst,
                    config.freeEnds(),
                    moved[0],
                    moved[1]);
        }
    }

    private double apart(Memory a, Memory b) {
        return Vectors.distance(Vectors.read(data.device, a), Vectors.read(data.device, b));
    }

    private float[] weights(Weights model) {
        return Vectors.read(data.device, model.params());
    }

    private PathMetrics path(
            String name,
            double[] ts,
            double[][] shares,
            List<Memory> points,
            PointEvaluator.Probe probe,
            ResultCache cache,
            Model model) {
        PointTable table = new PointTable(points, shares, STRETCH, i -> name + " " + i);
        int round = 2 * leg + (name.equals("curve") ? 0 : 1);
        LossAndError[] figures = table.measure(probe, cache, run, round, data, model);
        int decayed = Math.toIntExact(model.store().splitBytes() / Float.BYTES);
        double[] decay = PathMetrics.squares(data.device, points, shares, decayed);
        for (int i = 0; i < decay.length; i++) decay[i] *= config.step().weightDecay() / 2;
        return new PathMetrics(ts, figures, PathMetrics.lengths(data.device, points, shares), decay);
    }

    /** Every point that moved as a model of its own, with statistics of its own. */
    private void keepBends(CurveTraining training, PointEvaluator evaluator, String identity) {
        Model model = training.model();
        for (int j = 0; j < config.points(); j++) {
            if (!config.moves(j)) continue;
            Path file = folder.resolve("bend-" + j + ".safetensors");
            if (Files.exists(file)) {
                Difference.requireNone(
                        file, ModelHeader.of(file).header().getOrDefault(FILES.identity(), identity), identity);
                continue;
            }
            data.device.copy(training.points().get(j), model.weights().params());
            evaluator.refresh(model.weights());
            Map<String, String> about = metadata("bend " + j);
            about.put(FILES.identity(), identity);
            Checkpoint.saveModel(file, model, model.weights(), about);
        }
    }
}
