package io.basin.compare;

import io.basin.Nullable;
import io.basin.device.EpochMetrics;
import io.basin.device.Layer;
import io.basin.device.Weights;
import io.basin.ensemble.Lineage;
import io.basin.io.Folders;
import io.basin.methods.Method;
import io.basin.methods.Method.Product;
import io.basin.nn.Graph;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Outlook;
import io.basin.train.Settings;
import io.basin.train.Splits;
import io.basin.train.Trainer;
import io.basin.train.Training;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/** Trains one group of methods with one seed and has what each of them makes of it measured. */
final class GroupRun {
    private final Place place;
    private final Splits splits;
    private final Group group;
    private final Graph graph;

    GroupRun(Place place, Group group) {
        this.place = place;
        this.group = group;
        splits = place.splits();
        graph = place.net().get();
    }

    /** Trains every part of the group, or the rest of it where a checkpoint lies, and measures. */
    TestEvaluation.Outcome run() {
        List<Weights> members = new ArrayList<>();
        int last = group.parts() - 1;
        try {
            for (int part = 0; part < last; part++) trainPart(part, members);
            try (Model model = model();
                    Training training = training(model, last);
                    TestEvaluation evaluation = new TestEvaluation(place, model)) {
                train(training, model, last, evaluation.validation());
                training.takeMembers().forEach(m -> members.add(m.weights()));
                return evaluation.of(group, training, members, about(group.name(), last));
            }
        } finally {
            members.forEach(Weights::close);
        }
    }

    private void trainPart(int part, List<Weights> members) {
        try (Model model = model();
                Training training = training(model, part)) {
            train(training, model, part, place.validation(model));
            training.takeMembers().forEach(m -> members.add(m.weights()));
        }
    }

    private Model model() {
        return MethodRun.model(splits.device(), graph, place.settings());
    }

    private Training training(Model model, int part) {
        return new Training(
                model,
                splits.train(),
                splits.reader(place.seed() * 1000 + part),
                place.settings().optimizer(),
                group.schedule(part),
                group.averaging(part),
                outlook(part));
    }

    /**
     * From part {@code part} on: what is collected, and two evaluators that measure. Where statistics are measured anew, one more
     * does that and one checks it on a copy, and a mean, samples and a copy of the last weights are made.
     */
    private Outlook outlook(int part) {
        List<Product> products = group.methods().stream().map(Method::product).toList();
        int models = group.predictsFromMembers()
                ? IntStream.range(part, group.parts())
                        .map(p -> group.schedule(p).collections().length
                                * (group.averaging(p).second().length > 0 ? 2 : 1))
                        .sum()
                : group.schedule(part).mostCollected(splits.stepsPerEpoch());
        boolean normed = graph.nodes().stream().anyMatch(n -> n.layer() instanceof Layer.BatchNorm);
        if (normed && products.contains(Product.LAST)) models++;
        if (products.stream().noneMatch(Product::isMade)) return new Outlook(models, normed ? 3 : 2);
        int drawn = group.methods().stream()
                .filter(r -> r.product() == Product.SAMPLES)
                .mapToInt(r -> r.swag().samples())
                .sum();
        return new Outlook(models + drawn + 2, normed ? 5 : 4);
    }

    private Path partFolder(int part) {
        return group.partFolder(place.folder(), part);
    }

    private void train(Training training, Model model, int part, @Nullable Evaluator validation) {
        Path folder = Folders.make(partFolder(part));
        Map<String, String> about = about(group.name(), part);
        about.put(Trainer.RUN, identity(place.settings(), group, graph) + ", seed=" + (place.seed() * 1000 + part));
        Start start = part == 0 ? place.start() : null;
        if (start != null) about.put(Trainer.RUN, about.get(Trainer.RUN) + ", from=" + start.identity());
        int done = Math.max(Trainer.progress(folder), group.begin(part));
        try (Board board = new Board(place, group, part, done);
                Monitor.Run shown = place.monitor()
                        .run(
                                label(part),
                                training.steps(),
                                place.settings().data().batch(),
                                done)) {
            Trainer trainer = new Trainer(
                            training,
                            splits.stepsPerEpoch(),
                            folder,
                            place.options().checkpointEvery(),
                            about,
                            group.predictsFromMembers(),
                            listener(model, part, validation, shown, board))
                    .describing(step -> Map.of(
                            "restarts",
                            Integer.toString(group.restarts(step)),
                            Lineage.KEY,
                            lineage(part, step + 1).header()));
            if (start != null) trainer.startingFrom(start.file(), group.begin(part));
            if (part > 0 && group.isTrunk(0)) trainer.startingFrom(Trainer.checkpoint(partFolder(0)));
            trainer.run();
        }
    }

    /** Everything but the seed that decides what is trained. */
    static String identity(Settings settings, Group group, Graph graph) {
        return settings.identity() + ", net=" + graph.fingerprint() + ", "
                + group.methods().stream().map(Method::identity).collect(Collectors.joining(", "));
    }

    private String label(int part) {
        String which = group.parts() > 1 ? " " + (part + 1) + "/" + group.parts() : "";
        return group.said() + which + ", seed " + place.seed();
    }

    private Trainer.Listener listener(
            Model model, int part, @Nullable Evaluator validation, Monitor.Run shown, Board board) {
        double[] alpha = group.averaging(part).alpha();
        int first = (int) Arrays.stream(alpha).takeWhile(a -> a == 0).count();
        return new Trainer.Listener() {
            @Override
            public void onStep(int step) {
                shown.step(step);
            }

            @Override
            public Function<Trainer.Epoch, Map<String, Object>> onEpoch() {
                Supplier<EpochMetrics> figures = validation == null ? null : validation.begin(model.weights());
                return epoch -> {
                    EpochMetrics v = figures == null ? null : figures.get();
                    shown.epoch(epoch, v == null ? Double.NaN : v.meanLoss(), v == null ? Double.NaN : v.accuracy());
                    Map<String, Object> line = new LinkedHashMap<>();
                    if (v != null) {
                        line.put("validation_loss", v.meanLoss());
                        line.put("validation_accuracy", v.accuracy());
                    }
                    if (validation != null && epoch.step() > first) {
                        EpochMetrics a = glance(model, validation);
                        line.put("average_loss", a.meanLoss());
                        line.put("average_accuracy", a.accuracy());
                    }
                    board.epoch(epoch, line, model);
                    return line;
                };
            }
        };
    }

    /**
     * The running average on the validation part, with batch-norm statistics from one pass over a few training samples: a look
     * while it trains, for curves. The method's result is measured as its options say.
     */
    private EpochMetrics glance(Model model, Evaluator validation) {
        Weights average = model.store().averaged();
        if (validation.hasNorms()) {
            model.evaluator(splits.glance(), splits.augmentedBatch())
                    .refresh(average, Evaluator.Refresh.SINGLE, pass -> {});
        }
        return validation.evaluate(average);
    }

    /** The name by which a file's reader builds the net: its class, where it has one. */
    private String net() {
        return graph.source().isEmpty() ? place.settings().model() : graph.source();
    }

    /** The training of a net up to {@code step} of a part. */
    private Lineage lineage(int part, int step) {
        Lineage before =
                Lineage.of(place.start() == null ? Map.of() : place.start().header());
        if (part > 0 && group.isTrunk(0)) before = lineage(0, group.schedule(0).steps());
        String batches = place.settings().identity() + ", net=" + graph.fingerprint() + ", data=" + splits.fingerprint()
                + ", seed=" + (place.seed() * 1000 + part);
        return before.and(batches, group.schedule(part).lr(), group.begin(part), step, splits.stepsPerEpoch());
    }

    /** A weights file's header: enough to load it, to normalise images for it and to know its origin. */
    private Map<String, String> about(String method, int part) {
        // Workers go on from their trunk's weights: they share its initialisation, not its order of samples.
        long drawn = place.seed() * 1000 + (group.isTrunk(0) ? 0 : part);
        String init =
                place.start() == null ? Long.toString(drawn) : place.start().init();
        Map<String, String> about = splits.header(net(), method, init);
        about.put(Start.EPOCH, Integer.toString(splits.stepsPerEpoch()));
        about.put("seed", Long.toString(place.seed()));
        about.put(Lineage.KEY, lineage(part, group.schedule(part).steps()).header());
        return about;
    }
}
