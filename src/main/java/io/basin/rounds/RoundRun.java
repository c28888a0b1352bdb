package io.basin.rounds;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.device.EpochMetrics;
import io.basin.io.AtomicFile;
import io.basin.io.JsonLines;
import io.basin.rounds.RoundPlan.Round;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Checkpoint;
import io.basin.train.DivergedException;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Drives a job from round to round: publishes its weights, has a {@link Carrier} do the shares, and combines them. Killed at any moment
 * it goes on from the last round that was published, to the same bits.
 */
@Api
public final class RoundRun {
    private static final String METRICS = "rounds.jsonl";

    private final RoundFolder folder;
    private final Workshop workshop;
    private final Splits splits;
    private final Model model;
    private final boolean anyDevice;

    /**
     * @param folder existing, with no other driver
     * @param splits on the device that evaluates
     * @param model of the net, for the first weights and for what is measured; the caller's
     * @param anyDevice whether workers may have devices that round differently
     */
    public RoundRun(Path folder, Workshop workshop, Splits splits, Model model, boolean anyDevice) {
        this.folder = new RoundFolder(folder);
        this.workshop = workshop;
        this.splits = splits;
        this.model = model;
        this.anyDevice = anyDevice;
    }

    /**
     * A net that came out.
     *
     * @param file its weights; null of a member that diverged, at the step that {@code test.broken()} says
     * @param test on the test part
     * @param validation on the held-out part; null where there is none
     */
    public record Outcome(
            @Nullable Path file,
            EpochMetrics test,
            @Nullable EpochMetrics validation) {}

    /** Runs what is left of the rounds; one net comes out, or one a member, whether others diverge or not. */
    public List<Outcome> run(Carrier carrier, Progress progress) {
        RoundPlan plan = workshop.plan();
        folder.drive(RoundFolder.Job.of(workshop.identity(), splits, anyDevice));
        int last = plan.rounds().size();
        int round = folder.newest();
        if (round < 0) {
            round = 0;
            model.initialise(plan.seed());
            folder.begin(0, ModelState.of(model, model.weights()), null);
        }
        try (JsonLines lines = metrics(round);
                Progress.Counter counter = progress.start(plan.name(), last, "rounds")) {
            counter.step(round);
            for (; round < last; round++) {
                compute(carrier, round, lines);
                counter.step(1);
            }
        } catch (DivergedException e) {
            folder.end(String.valueOf(e.getMessage()));
            throw new DivergedException(
                    e.getMessage() + "; the weights from before that round are " + folder.weights(round));
        }
        List<Outcome> made = outcomes();
        // Members are results; otherwise the moments of the last round are no longer needed.
        if (plan.rounds().get(last - 1).outer() != null) folder.forget(last);
        folder.end("the job is done");
        return made;
    }

    private void compute(Carrier carrier, int number, JsonLines lines) {
        RoundPlan plan = workshop.plan();
        Round round = plan.rounds().get(number);
        long start = System.nanoTime();
        carrier.run(number, () -> {});
        double seconds = (System.nanoTime() - start) * 1e-9;
        List<ShareRunner.Result> results = IntStream.range(0, round.shares().size())
                .mapToObj(w -> folder.result(number, w))
                .toList();
        Map<String, Object> line = line(number, results, seconds);
        if (round.outer() != null) {
            OuterStep.Combined next = OuterStep.combine(
                    round.outer(),
                    ModelState.read(folder.weights(number)),
                    folder.velocity(number),
                    results.stream().map(ShareRunner.Result::state).toList());
            if (endsEpoch(number) && splits.holdsOut()) {
                EpochMetrics v = measured(next.weights(), Splits.Part.VALIDATION);
                line.put("validation_loss", v.meanLoss());
                line.put("validation_accuracy", v.accuracy());
            }
            // Before the next round begins: a job that is killed here computes the line again.
            append(lines, line);
            folder.begin(number + 1, next.weights(), next.velocity());
        } else {
            append(lines, line);
        }
        folder.forget(number);
    }

    private Map<String, Object> line(int number, List<ShareRunner.Result> results, double seconds) {
        List<EpochMetrics> ended = results.stream()
                .map(ShareRunner.Result::metrics)
                .filter(m -> m.broken() < 0)
                .toList();
        double seen = ended.stream().mapToLong(EpochMetrics::seen).sum();
        Map<String, Object> line = new LinkedHashMap<>();
        line.put("round", number + 1);
        line.put("samples", workshop.plan().samples(number + 1));
        if (seen > 0) {
            line.put("loss", ended.stream().mapToDouble(EpochMetrics::loss).sum() / seen);
            line.put("accuracy", ended.stream().mapToLong(EpochMetrics::hits).sum() / seen);
        }
        line.put("seconds", seconds);
        return line;
    }

    /** Whether another pass over the training samples ends in this round. */
    private boolean endsEpoch(int round) {
        int epoch = splits.trainSet().count();
        RoundPlan plan = workshop.plan();
        return plan.samples(round) / epoch < plan.samples(round + 1) / epoch
                || round == plan.rounds().size() - 1;
    }

    private static void append(JsonLines lines, Map<String, Object> line) {
        lines.append(line);
        lines.force();
    }

    /** Open at its end; lines of rounds that are computed again are cut off. */
    private JsonLines metrics(int round) {
        Path file = folder.path().resolve(METRICS);
        if (!Files.exists(file)) return JsonLines.create(file);
        StringBuilder kept = new StringBuilder();
        for (JsonNode line : JsonLines.read(file)) {
            if (line.path("round").asInt() <= round) kept.append(JsonLines.line(line, file.toString()));
        }
        AtomicFile.write(file, kept.toString());
        return JsonLines.resume(file, kept.toString().getBytes(StandardCharsets.UTF_8).length);
    }

    /** With batch-norm statistics of its own, measured anew. */
    private EpochMetrics measured(ModelState state, Splits.Part part) {
        state.writeTo(model, model.weights());
        Evaluator onTrain = model.evaluator(splits.train(), splits.augmentedBatch());
        onTrain.refresh(model.weights(), BatchNormUpdate.AUTO.of(onTrain), batch -> {});
        return model.evaluator(splits.images(part), splits.plainBatch()).evaluate(model.weights());
    }

    private List<Outcome> outcomes() {
        RoundPlan plan = workshop.plan();
        int last = plan.rounds().size();
        Round round = plan.rounds().get(last - 1);
        if (round.outer() != null)
            return List.of(outcome(plan.name(), ModelState.read(folder.weights(last)), plan.seed()));
        return IntStream.range(0, round.shares().size())
                .mapToObj(
                        w -> member(plan.name() + "-" + (w + 1), round.shares().get(w), folder.result(last - 1, w)))
                .toList();
    }

    private Outcome member(String name, RoundPlan.Share share, ShareRunner.Result made) {
        if (made.metrics().broken() >= 0) return new Outcome(null, made.metrics(), null);
        try {
            return outcome(
                    name,
                    made.state(),
                    workshop.plan().lanes().get(share.lane()).seed());
        } catch (DivergedException tooLarge) {
            return new Outcome(null, broken(made.metrics(), share.to()), null);
        }
    }

    /** The figures of what is no longer finite after so many steps. */
    static EpochMetrics broken(EpochMetrics m, long step) {
        return new EpochMetrics(m.step(), m.loss(), m.hits(), m.seen(), step);
    }

    private Outcome outcome(String name, ModelState state, long init) {
        EpochMetrics test = measured(state, Splits.Part.TEST);
        if (!Double.isFinite(test.meanLoss())) {
            throw new DivergedException(
                    name + ": the loss of what came out is not finite on the test part, so its weights are"
                            + " too large: choose a smaller `lr`, or `outerLr`");
        }
        EpochMetrics validation = splits.holdsOut()
                ? model.evaluator(splits.validation(), splits.plainBatch()).evaluate(model.weights())
                : null;
        Path file = folder.path().resolve(name + ".safetensors");
        String source = model.graph().source();
        String net = source.isEmpty() ? workshop.settings().model() : source;
        Map<String, String> header =
                new LinkedHashMap<>(splits.header(net, workshop.plan().name(), Long.toString(init)));
        Checkpoint.saveModel(file, model, model.weights(), header);
        return new Outcome(file, test, validation);
    }
}
