package io.basin.compare;

import io.basin.data.Progress;
import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.io.Json;
import io.basin.nn.Nets;
import io.basin.report.Summary;
import io.basin.train.Checkpoint;
import io.basin.train.Evaluator;
import io.basin.train.Recipe;
import io.basin.train.Session;
import io.basin.train.Settings;
import io.basin.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Trains one group of methods with one seed and measures what each of them makes of it. */
final class GroupRun {
    /** A method's line of results before it joins those of other seeds. */
    record Result(String method, String combiner, double epochs, int passes, Summary.Score score) {}

    private final Device device;
    private final Material material;
    private final Group group;
    private final long seed;
    private final Path folder;
    private final Options options;
    private final Monitor monitor;
    private final Graph graph;

    GroupRun(Device device, Material material, Group group, long seed, Path folder, Options options, Monitor monitor) {
        this.device = device;
        this.material = material;
        this.group = group;
        this.seed = seed;
        this.folder = folder;
        this.options = options;
        this.monitor = monitor;
        graph = Nets.build(
                material.settings().model(),
                material.train().sample(),
                material.testSet().classes());
    }

    /** Trains every run of the group, or the rest of it where a checkpoint lies, and measures. */
    List<Result> run() {
        List<Weights> members = new ArrayList<>();
        try {
            for (int part = 0; part < group.runs() - 1; part++) trainPart(part, members);
            try (Session last = session(group.runs() - 1);
                    Judge judge = new Judge(device, graph, last.storage(), material)) {
                train(last, group.runs() - 1, judge.validation());
                last.takeMembers().forEach(m -> members.add(m.weights()));
                return judged(last, judge, members);
            }
        } finally {
            members.forEach(Weights::close);
        }
    }

    private void trainPart(int part, List<Weights> members) {
        try (Session session = session(part);
                Evaluator validation = new Evaluator(
                        device,
                        graph,
                        session.storage(),
                        material.validation(),
                        material.plainBatch(),
                        material.settings().precision())) {
            train(session, part, validation);
            session.takeMembers().forEach(m -> members.add(m.weights()));
        }
    }

    private Session session(int part) {
        return new Session(
                device,
                graph,
                material.train(),
                material.settings(),
                group.schedule(),
                group.averaging(),
                seed * 1000 + part,
                material.mean(),
                material.std());
    }

    private Path partFolder(int part) {
        return group.runs() == 1 ? folder : folder.resolve("run-" + part);
    }

    private void train(Session session, int part, Evaluator validation) {
        String label =
                group.name() + (group.runs() > 1 ? " " + (part + 1) + "/" + group.runs() : "") + ", seed " + seed;
        Path place = Folders.make(partFolder(part));
        Settings s = material.settings();
        Map<String, String> about = about(group.name());
        about.put(Trainer.RUN, s + ", method=" + group.name() + ", seed=" + (seed * 1000 + part));
        try (Monitor.Run shown = monitor.run(label, session.steps(), s.batch(), Trainer.progress(place))) {
            Trainer.Listener listener = new Trainer.Listener() {
                @Override
                public void onStep(int step) {
                    shown.step(step);
                }

                @Override
                public Map<String, Object> onEpoch(Trainer.Epoch epoch) {
                    Control.Totals v = validation.evaluate(session.storage().live());
                    shown.epoch(epoch, v.meanLoss(), v.accuracy());
                    Map<String, Object> extra = new LinkedHashMap<>();
                    extra.put("validation_loss", v.meanLoss());
                    extra.put("validation_accuracy", v.accuracy());
                    return extra;
                }
            };
            new Trainer(
                            session,
                            group.schedule(),
                            material.stepsPerEpoch(),
                            place,
                            options.checkpointEvery(),
                            about,
                            group.predictsFromMembers(),
                            listener)
                    .run();
        }
    }

    private List<Result> judged(Session session, Judge judge, List<Weights> members) {
        List<Result> results = new ArrayList<>();
        for (Recipe recipe : group.recipes()) {
            List<Judge.Verdict> verdicts = switch (recipe.product()) {
                case LAST ->
                    List.of(single(recipe, session, judge, session.storage().live()));
                case AVERAGE -> {
                    Weights average = session.storage().averaged();
                    refresh(recipe, session, average);
                    yield List.of(single(recipe, session, judge, average));
                }
                case MEMBERS -> judge.ensemble(members);
            };
            for (Judge.Verdict v : verdicts) results.add(result(recipe, v));
        }
        return results;
    }

    /** What a weights file says of itself: enough to load it, to normalise images for it and to know where it comes from. */
    private Map<String, String> about(String method) {
        Map<String, String> about = new LinkedHashMap<>();
        about.put("model", material.settings().model());
        about.put("dataset", material.settings().dataset());
        about.put("method", method);
        about.put("seed", Long.toString(seed));
        about.put("mean", Json.line(material.mean()));
        about.put("std", Json.line(material.std()));
        return about;
    }

    private Judge.Verdict single(Recipe recipe, Session session, Judge judge, Weights model) {
        Path file = folder.resolve(recipe.name() + ".safetensors");
        Checkpoint.saveModel(file, device, session.storage(), model, about(recipe.name()));
        return judge.single(model);
    }

    private void refresh(Recipe recipe, Session session, Weights average) {
        try (Evaluator onTrain = new Evaluator(
                device,
                graph,
                session.storage(),
                material.train(),
                options.plainRefresh() ? material.plainBatch() : material.augmentedBatch(),
                material.settings().precision())) {
            Evaluator.Refresh how = options.refresh(onTrain);
            long batches = (long) onTrain.refreshPasses(how) * onTrain.batches();
            if (batches == 0) return;
            String task = recipe.name() + ", seed " + seed + ": batch-norm statistics";
            try (Progress.Counter counter = monitor.progress().start(task, batches, "batches")) {
                onTrain.refresh(average, how, pass -> counter.step(1));
            }
        }
    }

    private Result result(Recipe recipe, Judge.Verdict v) {
        double epochs = (double) recipe.runs() * recipe.schedule().steps() / material.stepsPerEpoch();
        return new Result(
                recipe.name(),
                v.combiner(),
                epochs,
                v.passes(),
                new Summary.Score(
                        seed,
                        v.metrics().accuracy(),
                        v.metrics().nll(),
                        v.metrics().ece()));
    }
}
