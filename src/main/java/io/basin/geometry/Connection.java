package io.basin.geometry;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.compare.Material;
import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.io.FolderLock;
import io.basin.io.FormatException;
import io.basin.io.JsonLines;
import io.basin.io.Safetensors;
import io.basin.train.Checkpoint;
import io.basin.train.DivergedException;
import io.basin.train.Provenance;
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
            Traverse curve,
            Traverse line,
            boolean endsAreParents,
            double worstEndDifference) {}

    private final Device device;
    private final Material material;
    private final Terrain terrain;
    private final Graph graph;
    private final CurveTraining.Course course;
    private final Path folder;
    private final Progress progress;

    public Connection(
            Device device,
            Material material,
            Terrain terrain,
            Graph graph,
            CurveTraining.Course course,
            Path folder,
            Progress progress) {
        this.device = device;
        this.material = material;
        this.terrain = terrain;
        this.graph = graph;
        this.course = course;
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
                new CurveTraining(device, graph, material.train(), course, first.file(), last.file())) {
            train(training, identity + ", " + describe(), first.label() + " to " + last.label());
            try (Survey survey = terrain.survey(graph, training.storage());
                    Ledger ledger = new Ledger(
                            folder.resolve("points.jsonl"), identity + ", " + describe() + ", points=" + points)) {
                Result result = measure(training, survey, ledger, first, last, points);
                keepBends(training, survey);
                return result;
            }
        }
    }

    private String describe() {
        var s = course.settings();
        return "curve=" + course.curve() + ", bends=" + course.bends() + ", epochs=" + s.epochs() + ", lr=" + s.lr()
                + ", momentum=" + s.momentum() + ", nesterov=" + s.nesterov() + ", wd=" + s.weightDecay()
                + ", decay everything=" + s.decayEverything() + ", smoothing=" + s.smoothing() + ", seed="
                + course.seed();
    }

    private void train(CurveTraining training, String identity, String label) {
        Path file = folder.resolve(CURVE);
        training.resume(file, identity);
        int perEpoch = material.stepsPerEpoch();
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
                if (epochEnds || device.immediate() && step % WATCH == 0) requireFinite(training);
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
                    "the curve's " + e.getMessage() + " at step " + (training.step() - 1) + ": try a smaller --lr");
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
        throw new DivergedException("the curve's loss is no longer finite at step " + broken + ": try a smaller --lr");
    }

    private void log(JsonLines lines, CurveTraining training, int perEpoch) {
        var totals = training.totals();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("epoch", (double) training.step() / perEpoch);
        line.put("step", training.step());
        line.put("lr", course.schedule().lr(training.step() - 1));
        line.put("loss", totals.meanLoss());
        line.put("accuracy", totals.accuracy());
        lines.append(line);
        lines.force();
    }

    private Map<String, String> metadata(String what) {
        String method = what + " of a " + course.curve() + " curve";
        Provenance origin = Provenance.of(course.settings(), method, course.seed(), course.mean(), course.std())
                .on(material.fingerprint());
        Map<String, String> header = new LinkedHashMap<>(origin.rootless().header());
        header.put("seed", Long.toString(course.seed()));
        header.put("control_points", Integer.toString(course.bends() + 2));
        return header;
    }

    private Result measure(CurveTraining training, Survey survey, Ledger ledger, Net first, Net last, int points) {
        double[] ts = Curve.even(points);
        List<Memory> all = training.points();
        List<Memory> ends = List.of(all.get(0), all.get(all.size() - 1));
        double[][] bent = course.curve().table(ts, all.size());
        double[][] straight = Curve.POLYCHAIN.table(ts, 2);
        try (Progress.Counter counter = progress.start("measuring points", 2L * points + 2, "points");
                Survey.Probe curve = survey.probe(all);
                Survey.Probe line = survey.probe(ends)) {
            Figures[] parents = {
                parent("first", training, survey, ledger, first, counter),
                parent("last", training, survey, ledger, last, counter)
            };
            Traverse along = traverse("curve", ts, bent, all, curve, ledger, counter);
            Traverse across = traverse("line", ts, straight, ends, line, ledger, counter);
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

    private static double apart(Figures a, Figures b) {
        return Math.max(
                Math.max(Math.abs(a.trainLoss() - b.trainLoss()), Math.abs(a.testLoss() - b.testLoss())),
                Math.max(Math.abs(a.trainError() - b.trainError()), Math.abs(a.testError() - b.testError())));
    }

    /** The net itself, read from its file again: what the curve's end must reproduce. */
    private Figures parent(
            String key, CurveTraining training, Survey survey, Ledger ledger, Net net, Progress.Counter counter) {
        Storage storage = training.storage();
        Figures f = ledger.figures(key, () -> {
            Checkpoint.loadModel(net.file(), device, storage, storage.live());
            return survey.measure(storage.live());
        });
        counter.step(1);
        return f;
    }

    private Traverse traverse(
            String name,
            double[] ts,
            double[][] shares,
            List<Memory> points,
            Survey.Probe probe,
            Ledger ledger,
            Progress.Counter counter) {
        Figures[] figures = new Figures[ts.length];
        for (int i = 0; i < ts.length; i++) {
            double[] row = shares[i];
            figures[i] = ledger.figures(name + " " + i, () -> probe.at(row));
            counter.step(1);
        }
        return new Traverse(ts, figures, Traverse.lengths(device, points, shares));
    }

    /** Every bend as a model of its own, with statistics of its own. */
    private void keepBends(CurveTraining training, Survey survey) {
        Storage storage = training.storage();
        for (int j = 1; j <= course.bends(); j++) {
            Path file = folder.resolve("bend-" + j + ".safetensors");
            if (Files.exists(file)) {
                // Finds damage.
                Safetensors.open(file).close();
                continue;
            }
            device.copy(training.points().get(j), storage.live().params());
            survey.refresh(storage.live());
            Checkpoint.saveModel(file, device, storage, storage.live(), metadata("bend " + j));
        }
    }
}
