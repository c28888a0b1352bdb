package io.basin.landscape;

import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.device.BatchReader;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.io.FolderLock;
import io.basin.io.Folders;
import io.basin.methods.Averaging;
import io.basin.methods.Method;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import io.basin.text.Require;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Checkpoint;
import io.basin.train.Difference;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import io.basin.train.Trainer;
import io.basin.train.Training;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/**
 * From which step on a training is stable to the order of its batches (Frankle et al. 2020, arXiv 1912.05671): from checkpoints of
 * one run two children are trained each to its end, with orders of their own, and loss and error are measured on the straight line
 * between them. Where no barrier lies there, weights that are collected later lie in one basin, and have a useful mean.
 *
 * <p>The folder holds {@code trunk-<step>}, the run's checkpoints; {@code at-<step>/child-<n>.safetensors}, models like any other;
 * {@code points.jsonl}. Interrupted at any moment, it goes on.
 *
 * @param splits with a held-out part, on which the barrier is measured since something is chosen by it
 */
public record Stability(
        Splits splits, Settings settings, Supplier<Graph> net, Config config, Path folder, Progress progress) {
    public Stability {
        splits.validationSet();
    }

    /**
     * Settings of training and measurement.
     *
     * @param sgd conventional training
     * @param checkpoints at equal distances over the budget, the first weights being the first
     * @param points on each line, its ends included
     * @param seed of first weights and orders
     * @param update how batch-norm statistics are measured
     */
    public record Config(Method sgd, int checkpoints, int points, long seed, BatchNormUpdate update) {
        public Config {
            Require.given("sgd", sgd);
            Require.given("update", update);
            int steps = sgd.schedule().steps();
            if (checkpoints < 1 || checkpoints > steps) {
                throw new IllegalArgumentException("a run of " + steps + (steps == 1 ? " step" : " steps")
                        + " has room for as many checkpoints, and `checkpoints` is " + checkpoints
                        + ": name fewer, or train for more `epochs`");
            }
            Require.atLeast("points", points, 3);
        }

        /** The steps of the checkpoints, rising from 0. */
        public int[] steps() {
            long all = sgd.schedule().steps();
            return IntStream.range(0, checkpoints)
                    .map(i -> (int) (i * all / checkpoints))
                    .toArray();
        }

        public long trained() {
            int[] at = steps();
            long all = sgd.schedule().steps();
            return at[at.length - 1]
                    + Arrays.stream(at).mapToLong(s -> 2 * (all - s)).sum();
        }
    }

    /**
     * The line between the children of one checkpoint.
     *
     * @param line from child to child, the ends included; its test figures are those of held-out samples
     */
    public record Line(int step, List<LossAndError> line) {
        /** How far the largest held-out error on the line lies above the mean of its ends, in [-1, 1]. */
        public double barrier() {
            return line.stream().mapToDouble(LossAndError::testError).max().orElseThrow() - endError();
        }

        /** Mean held-out error of the children. */
        public double endError() {
            return (line.get(0).testError() + line.get(line.size() - 1).testError()) / 2;
        }

        /**
         * Standard error of {@link #endError} as of a share of {@code samples}, with one hit and one error more (Agresti and
         * Coull): a net that errs on none of a few samples is not known without error.
         */
        public double samplingError(int samples) {
            double p = (endError() * samples + 1) / (samples + 2);
            return Math.sqrt(p * (1 - p) / (samples + 2));
        }

        boolean isStable(int samples) {
            return barrier() <= samplingError(samples);
        }
    }

    /** Trains what is not trained yet, measures what is not measured yet; a line for each checkpoint. */
    public List<Line> run() {
        return FolderLock.holding(folder, this::lines);
    }

    /** The index of the first checkpoint from which on no line has a barrier above the sampling error; as many as there are lines if none. */
    static int stableFrom(List<Line> lines, int samples) {
        int first = lines.size();
        while (first > 0 && lines.get(first - 1).isStable(samples)) first--;
        return first;
    }

    private List<Line> lines() {
        List<Line> lines = new ArrayList<>();
        try (ResultCache cache = new ResultCache(folder.resolve("points.jsonl"), identity())) {
            Path trunk = null;
            int done = 0;
            for (int step : config.steps()) {
                if (step > done) trunk = trunk(step, trunk, done);
                done = step;
                lines.add(measure(step, child(step, trunk, 1), child(step, trunk, 2), cache));
            }
        }
        return lines;
    }

    private String identity() {
        return settings.identity() + ", net=" + net.get().fingerprint() + ", data=" + splits.fingerprint() + ", "
                + config.sgd().identity() + ", points=" + config.points() + ", seed=" + config.seed() + ", statistics="
                + config.update().how() + ", plain=" + config.update().plain();
    }

    private Model model() {
        Loss loss = Loss.crossEntropy(settings.smoothing());
        return new Model(splits.device(), net.get(), loss, settings.precision(), settings.decayEverything());
    }

    private long seed() {
        return 1000 * config.seed();
    }

    private Training training(Model model, long order, Schedule rates) {
        return new Training(
                model,
                splits.train(),
                splits.reader(order),
                settings.optimizer(),
                rates,
                Averaging.none(rates.steps()));
    }

    /** The run's checkpoint after {@code step}, trained on from the one before. */
    private Path trunk(int step, @Nullable Path before, int done) {
        Path place = Folders.make(folder.resolve("trunk-" + step));
        if (Trainer.progress(place) >= step) {
            Difference.requireOf(Trainer.checkpoint(place), run(seed(), done));
        } else {
            try (Model model = model();
                    Training training =
                            training(model, seed(), config.sgd().schedule().first(step))) {
                train(training, place, "the run up to step " + step, before, done);
            }
        }
        return Trainer.checkpoint(place);
    }

    /** A net trained from a checkpoint to the end of the schedule, in an order of its own. */
    private Path child(int step, @Nullable Path trunk, int number) {
        Path place = Folders.make(folder.resolve("at-" + step));
        Path file = place.resolve("child-" + number + ".safetensors");
        if (Files.exists(file)) {
            Difference.requireOf(file, run(seed() + number, step));
            return file;
        }
        Path state = Folders.make(place.resolve("training-" + number));
        try (Model model = model();
                Training training =
                        training(model, seed() + number, config.sgd().schedule())) {
            model.initialise(seed());
            train(training, state, "child " + number + " of step " + step, trunk, step);
            Map<String, String> about = about();
            about.put(Trainer.RUN, run(training.seed(), step));
            Checkpoint.saveModel(file, model, model.weights(), about);
        }
        try {
            // Only the model goes on; its momentum is no longer needed.
            Files.delete(Trainer.checkpoint(state));
        } catch (IOException e) {
            throw Folders.unwritable(state, e);
        }
        return file;
    }

    private void train(Training training, Path place, String task, @Nullable Path from, int done) {
        Map<String, String> about = about();
        about.put(Trainer.RUN, run(training.seed(), done));
        int left = training.steps() - Math.max(done, Trainer.progress(place));
        try (Progress.Counter counter = progress.start(task, left, "steps")) {
            Trainer trainer =
                    new Trainer(training, splits.stepsPerEpoch(), place, 0, about, false, new Trainer.Listener() {
                        @Override
                        public void onStep(int step) {
                            counter.step(1);
                        }
                    });
            if (from != null) trainer.startingFrom(from, done);
            trainer.run();
        }
    }

    /** Identifies one of its trainings. */
    private String run(long order, int from) {
        return identity() + ", order=" + order + ", from step=" + from;
    }

    private Map<String, String> about() {
        Map<String, String> about = splits.header(settings.model(), config.sgd().name(), Long.toString(seed()));
        about.put("seed", Long.toString(config.seed()));
        return about;
    }

    private Line measure(int step, Path first, Path last, ResultCache cache) {
        BatchReader plain = splits.plainBatch();
        try (Model model = model()) {
            Evaluator statistics =
                    model.evaluator(splits.glance(), config.update().plain() ? plain : splits.augmentedBatch());
            Evaluator train = model.evaluator(splits.glance(), plain);
            Evaluator heldOut = model.evaluator(splits.validation(), plain);
            try (PointEvaluator points = new PointEvaluator(
                    model,
                    statistics,
                    train,
                    heldOut,
                    config.update().of(statistics),
                    splits.glanceSet().labels())) {
                List<Memory> ends = List.of(points.load(first), points.load(last));
                try (PointEvaluator.Probe probe = points.probe(ends);
                        Progress.Counter counter = progress.start("line of step " + step, config.points(), "points")) {
                    cache.counting(counter);
                    return new Line(
                            step,
                            Arrays.stream(Curve.even(config.points()))
                                    .mapToObj(t -> cache.figures(step + " at " + t, () -> probe.at(1 - t, t)))
                                    .toList());
                }
            }
        }
    }
}
