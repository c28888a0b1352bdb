package io.basin.rounds;

import io.basin.Nullable;
import io.basin.device.BatchReader;
import io.basin.device.EpochMetrics;
import io.basin.device.Loss;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import io.basin.rounds.RoundPlan.Lane;
import io.basin.rounds.RoundPlan.Share;
import io.basin.train.DivergedException;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import io.basin.train.Training;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/**
 * Computes shares, each a pure function of (weights, optimizer state, worker, round, seed, steps): earlier work, and its machine,
 * does not show in the bits. One thread at a time uses it.
 *
 * <p>A lane's training is kept for its next share, at most {@link #KEPT} of them: a runner that computes all shares of a round does not
 * hold all their memory.
 */
final class ShareRunner implements AutoCloseable {
    private static final int KEPT = 2;
    /** Steps between two looks at whether to stop. */
    private static final int LOOK = 16;

    /** A share's result: weights, statistics and moments, none of a member that diverged, and the sums over its samples. */
    record Result(ModelState state, EpochMetrics metrics) {}

    /** The same on its way into a file. */
    private record Trained(Shares.Task task, Result result) implements Shares.Made {
        @Override
        public void write(Path file, String by) {
            EpochMetrics m = result.metrics();
            Map<String, String> header = new LinkedHashMap<>();
            header.put("round", Integer.toString(task.round()));
            header.put("worker", Integer.toString(task.share()));
            header.put("computed_by", by);
            header.put("step", Long.toString(m.step()));
            header.put("loss", Double.toString(m.loss()));
            header.put("hits", Long.toString(m.hits()));
            header.put("seen", Long.toString(m.seen()));
            header.put("broken", Long.toString(m.broken()));
            result.state().write(file, header);
        }

        @Override
        public Optional<String> difference(Path file) {
            Map<String, ModelState.Tensor> theirs = ModelState.read(file).tensors();
            return result.state().tensors().entrySet().stream()
                    .filter(own -> {
                        ModelState.Tensor other = theirs.get(own.getKey());
                        return other == null
                                || !Arrays.equals(other.values(), own.getValue().values());
                    })
                    .map(own -> "'" + own.getKey() + "'")
                    .findFirst();
        }
    }

    private final Splits splits;
    private final Supplier<Graph> net;
    private final Settings settings;
    private final RoundPlan plan;
    private final Map<Integer, Training> trainings = new LinkedHashMap<>(4, 0.75f, true);
    /** Weights of the round that a share was last made of, and their file. */
    private @Nullable ModelState begun;

    private @Nullable Path from;

    ShareRunner(Splits splits, Supplier<Graph> net, Settings settings, RoundPlan plan) {
        this.splits = splits;
        this.net = net;
        this.settings = settings;
        this.plan = plan;
    }

    Model model() {
        return new Model(
                splits.device(),
                net.get(),
                Loss.crossEntropy(settings.smoothing()),
                settings.precision(),
                settings.decayEverything());
    }

    /** The same by way of files; the round's weights are read once. */
    Shares.Made make(Shares.Task task, BooleanSupplier stop) {
        ModelState weights = begun;
        if (weights == null || !task.begin().equals(from)) begun = weights = ModelState.read(task.begin());
        from = task.begin();
        Path left = task.before();
        ModelState before = left == null ? null : ModelState.read(left);
        return new Trained(task, run(task.round(), task.share(), weights, before, stop));
    }

    /**
     * @param weights that the round begins with
     * @param before what the lane's share of the round before handed over; null where it begins
     * @param stop looked at now and then
     * @throws DivergedException where the loss or a weight is no longer finite, naming worker, round and step; of a member not
     * @throws Shares.Stopped where {@code stop} says so
     */
    Result run(int round, int worker, ModelState weights, @Nullable ModelState before, BooleanSupplier stop) {
        Share share = plan.rounds().get(round).shares().get(worker);
        Lane lane = plan.lanes().get(share.lane());
        Training training = training(share.lane());
        Model model = (Model) training.model();
        model.store().forgetTraining(splits.device());
        if (drawsOwn(round)) model.initialise(lane.seed());
        else weights.writeTo(model, model.weights());
        if (before != null) before.writeMomentsTo(model);
        training.startAt(share.from());
        while (training.step() < share.to()) {
            training.advance();
            if (training.step() % LOOK == 0 && stop.getAsBoolean()) throw new Shares.Stopped();
        }
        EpochMetrics metrics = training.totals();
        if (metrics.broken() >= 0)
            return diverged(round, worker, metrics, "the loss is no longer finite at step " + metrics.broken());
        ModelState state = lane.averages(share)
                ? ModelState.of(model, model.store().averaged())
                : ModelState.of(model, model.weights());
        Optional<String> wild = state.notFinite();
        if (wild.isPresent()) {
            EpochMetrics last = RoundRun.broken(metrics, share.to());
            return diverged(round, worker, last, "tensor '" + wild.get() + "' is no longer finite");
        }
        return new Result(plan.goesOn(share) ? state.withMoments(model) : state, metrics);
    }

    /** A member costs the others nothing: that it diverged is its result. A worker's weights would be everybody's. */
    private Result diverged(int round, int worker, EpochMetrics metrics, String what) {
        if (plan.rounds().get(round).outer() == null) return new Result(new ModelState(), metrics);
        throw new DivergedException(
                "worker " + worker + " in round " + (round + 1) + ": " + what + "; try a smaller `lr` or a `warmUp`");
    }

    /** Members of the first round begin with weights of their own. */
    private boolean drawsOwn(int round) {
        return round == 0 && plan.rounds().get(0).outer() == null;
    }

    private Training training(int lane) {
        Training kept = trainings.get(lane);
        if (kept != null) return kept;
        for (Iterator<Training> oldest = trainings.values().iterator(); trainings.size() >= KEPT; ) {
            oldest.next().close();
            oldest.remove();
        }
        Lane tables = plan.lanes().get(lane);
        Model model = model();
        try {
            BatchReader reader = new BatchReader(tables.batch(), splits.augmentation(), tables.seed(), true);
            Training made = new Training(
                            model,
                            splits.train(),
                            reader,
                            settings.optimizer(),
                            Schedule.of(plan.name(), tables.lr()),
                            Averaging.of(tables.alpha()))
                    .closingModel();
            trainings.put(lane, made);
            return made;
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }

    @Override
    public void close() {
        trainings.values().forEach(Training::close);
        trainings.clear();
    }
}
