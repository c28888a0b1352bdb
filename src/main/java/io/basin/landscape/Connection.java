package io.basin.landscape;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.Weights;
import io.basin.io.FolderLock;
import io.basin.io.FormatException;
import io.basin.io.JsonLines;
import io.basin.io.Safetensors;
import io.basin.nn.Graph;
import io.basin.train.Checkpoint;
import io.basin.train.DivergedException;
import io.basin.train.Model;
import io.basin.train.ModelCard;
import io.basin.train.Splits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Joins two nets by a trained curve and measures it beside the straight line.
 *
 * <p>The folder holds {@code curve.safetensors} (bends and their momentum, after every epoch), {@code training.jsonl}, {@code
 * points.jsonl} and at the end {@code bend-<j>.safetensors}, models like any other. Interrupted at any moment, it goes on.
 */
public final class Connection {
    private static final int WATCH = 16;
    private static final String CURVE = "curve.safetensors";

    /** What came out: the curve, the straight line, and whether the curve's ends are the nets that it joins. */
    public record Result(
            String first,
            String last,
            PathMetrics curve,
            PathMetrics line,
            boolean endsAreParents,
            double worstEndDifference) {}

    private final Device device;
    private final Splits splits;
    private final Terrain terrain;
    private final Graph graph;
    private final CurveTraining.CurveConfig config;
    private final Path folder;
    private final Progress progress;

    public Connection(
            Device device,
            Splits splits,
            Terrain terrain,
            Graph graph,
            CurveTraining.CurveConfig config,
            Path folder,
            Progress progress) {
        this.device = device;
        this.splits = splits;
        this.terrain = terrain;
        this.graph = graph;
        this.config = config;
        this.folder = folder;
        this.progress = progress;
    }

    /** Trains what is not trained yet, measures what is not measured yet. */
    public Result run(Net first, Net last, int points) {
        return FolderLock.holding(folder, () -> joined(first, last, points));
    }

    private Result joined(Net first, Net last, int points) {
        String identity = terrain.identity() + ", first=" + first.fingerprint() + ", last=" + last.fingerprint();
        try (CurveTraining training =
                new CurveTraining(device, graph, splits.train(), config, first.file(), last.file())) {
            train(training, identity + ", " + describe(), first.label() + " to " + last.label());
            PointEvaluator evaluator = terrain.survey(training.model());
            try (ResultCache cache = new ResultCache(
                    folder.resolve("points.jsonl"), identity + ", " + describe() + ", points=" + points)) {
                Result result = measure(training, evaluator, cache, first, last, points);
                keepBends(training, evaluator);
                return result;
            }
        }
    }

    private String describe() {
        var s = config.settings();
        return "curve=" + config.curve() + ", bends=" + config.bends() + ", steps="
                + config.schedule().steps() + ", lr=" + config.schedule().lr(0) + ", " + config.step()
                + ", decay everything=" + s.decayEverything() + ", smoothing=" + s.smoothing() + ", seed="
                + config.seed();
    }

    private void train(CurveTraining training, String identity, String label) {
        Path file = folder.resolve(CURVE);
        training.resume(file, identity);
        int perEpoch = splits.stepsPerEpoch();
        Path log = folder.resolve("training.jsonl");
        if (training.step() == training.steps()) {
            requireLines(log, (training.steps() + perEpoch - 1) / perEpoch);
            return;
        }
        try (JsonLines lines = metrics(log, training.step(), perEpoch);
                Progress.Counter counter =
                        progress.start("curve from " + label, training.steps() - training.step(), "steps")) {
            while (training.step() < training.steps()) {
                training.advance();
                counter.step(1);
                int step = training.step();
                boolean epochEnds = step % perEpoch == 0 || step == training.steps();
                if (epochEnds || device.isSynchronous() && step % WATCH == 0) requireFinite(training);
                if (!epochEnds) continue;
                log(lines, training, perEpoch);
                training.startEpoch();
                save(training, file, identity);
            }
        }
    }

    private void save(CurveTraining training, Path file, String identity) {
        try {
            training.save(file, identity, metadata("curve"));
        } catch (DivergedException e) {
            throw new DivergedException(
                    "the curve's " + e.getMessage() + " at step " + (training.step() - 1) + ": try a smaller `lr`");
        }
    }

    /** Lines of epochs beyond the checkpoint are cut off, as they will be written again. */
    private static JsonLines metrics(Path log, int step, int perEpoch) {
        if (step == 0) return JsonLines.create(log);
        var known = requireLines(log, step / perEpoch);
        JsonLines lines = JsonLines.create(log);
        known.stream().limit(step / perEpoch).forEach(lines::append);
        return lines;
    }

    /** Every epoch that the curve's file counts must have its line. */
    private static List<JsonNode> requireLines(Path log, int epochs) {
        List<JsonNode> known = Files.exists(log) ? JsonLines.read(log) : List.of();
        if (known.size() >= epochs) return known;
        throw new FormatException(
                log.toString(),
                "has " + known.size() + " of the " + epochs + " lines that " + log.resolveSibling(CURVE)
                        + " counts; restore it from a copy, or delete both to train the curve again");
    }

    private static void requireFinite(CurveTraining training) {
        long broken = training.totals().broken();
        if (broken < 0) return;
        throw new DivergedException("the curve's loss is no longer finite at step " + broken + ": try a smaller `lr`");
    }

    private void log(JsonLines lines, CurveTraining training, int perEpoch) {
        var totals = training.totals();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("epoch", (double) training.step() / perEpoch);
        line.put("step", training.step());
        line.put("lr", config.schedule().lr(training.step() - 1));
        line.put("loss", totals.meanLoss());
        line.put("accuracy", totals.accuracy());
        lines.append(line);
        lines.force();
    }

    private Map<String, String> metadata(String what) {
        String method = what + " of a " + config.curve() + " curve";
        ModelCard origin = splits.card(config.settings().model(), method, "");
        Map<String, String> header = new LinkedHashMap<>(origin.header());
        header.put("seed", Long.toString(config.seed()));
        header.put("control_points", Integer.toString(config.bends() + 2));
        return header;
    }

    private Result measure(
            CurveTraining training, PointEvaluator evaluator, ResultCache cache, Net first, Net last, int points) {
        double[] ts = Curve.even(points);
        List<Memory> all = training.points();
        List<Memory> ends = List.of(all.get(0), all.get(all.size() - 1));
        double[][] bent = config.curve().table(ts, all.size());
        double[][] straight = Curve.POLYCHAIN.table(ts, 2);
        try (Progress.Counter counter = progress.start("measuring points", 2L * points + 2, "points");
                PointEvaluator.Probe curve = evaluator.probe(all);
                PointEvaluator.Probe line = evaluator.probe(ends)) {
            LossAndError[] parents = {
                parent("first", training, evaluator, cache, first, counter),
                parent("last", training, evaluator, cache, last, counter)
            };
            PathMetrics along = traverse("curve", ts, bent, all, curve, cache, counter);
            PathMetrics across = traverse("line", ts, straight, ends, line, cache, counter);
            boolean same = Arrays.equals(weights(curve.place(bent[0])), Vectors.read(device, ends.get(0)))
                    && Arrays.equals(weights(curve.place(bent[points - 1])), Vectors.read(device, ends.get(1)));
            double worst =
                    Math.max(apart(parents[0], along.figures()[0]), apart(parents[1], along.figures()[points - 1]));
            return new Result(first.label(), last.label(), along, across, same && worst == 0, worst);
        }
    }

    private float[] weights(Weights model) {
        return Vectors.read(device, model.params());
    }

    private static double apart(LossAndError a, LossAndError b) {
        return Math.max(
                Math.max(Math.abs(a.trainLoss() - b.trainLoss()), Math.abs(a.testLoss() - b.testLoss())),
                Math.max(Math.abs(a.trainError() - b.trainError()), Math.abs(a.testError() - b.testError())));
    }

    /** The net itself, read from its file again: what the curve's end must reproduce. */
    private LossAndError parent(
            String key,
            CurveTraining training,
            PointEvaluator evaluator,
            ResultCache cache,
            Net net,
            Progress.Counter counter) {
        Model model = training.model();
        LossAndError f =
                cache.figures(key, () -> evaluator.measure(model.load(net.file()).weights()));
        counter.step(1);
        return f;
    }

    private PathMetrics traverse(
            String name,
            double[] ts,
            double[][] shares,
            List<Memory> points,
            PointEvaluator.Probe probe,
            ResultCache cache,
            Progress.Counter counter) {
        LossAndError[] figures = new LossAndError[ts.length];
        for (int i = 0; i < ts.length; i++) {
            double[] row = shares[i];
            figures[i] = cache.figures(name + " " + i, () -> probe.at(row));
            counter.step(1);
        }
        return new PathMetrics(ts, figures, PathMetrics.lengths(device, points, shares));
    }

    /** Every bend as a model of its own, with statistics of its own. */
    private void keepBends(CurveTraining training, PointEvaluator evaluator) {
        Model model = training.model();
        for (int j = 1; j <= config.bends(); j++) {
            Path file = folder.resolve("bend-" + j + ".safetensors");
            if (Files.exists(file)) {
                // Finds damage.
                Safetensors.open(file).close();
                continue;
            }
            device.copy(training.points().get(j), model.weights().params());
            evaluator.refresh(model.weights());
            Checkpoint.saveModel(file, model, model.weights(), metadata("bend " + j));
        }
    }
}
