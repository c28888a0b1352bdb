package io.basin.compare;

import io.basin.device.Control;
import io.basin.device.Device;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.nn.Nets;
import io.basin.train.Evaluator;
import io.basin.train.Outlook;
import io.basin.train.Provenance;
import io.basin.train.Recipe;
import io.basin.train.Recipe.Product;
import io.basin.train.Session;
import io.basin.train.Settings;
import io.basin.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.IntStream;

/** Trains one group of methods with one seed and has what each of them makes of it measured. */
final class GroupRun {
    /**
     * Where and how a group is run.
     *
     * @param folder existing; holds all that the group writes
     */
    record Place(Device device, Material material, long seed, Path folder, Options options, Monitor monitor) {}

    private final Place place;
    private final Material material;
    private final Group group;
    private final Graph graph;

    GroupRun(Place place, Group group) {
        this.place = place;
        this.group = group;
        material = place.material();
        graph = Nets.build(
                material.settings().model(),
                material.train().sample(),
                material.testSet().classes());
    }

    /** Trains every part of the group, or the rest of it where a checkpoint lies, and measures. */
    Assessment.Outcome run() {
        List<Weights> members = new ArrayList<>();
        int last = group.parts() - 1;
        try {
            for (int part = 0; part < last; part++) trainPart(part, members);
            try (Session session = session(last);
                    Judge judge = new Judge(place.device(), graph, session.storage(), material)) {
                train(session, last, judge.validation());
                session.takeMembers().forEach(m -> members.add(m.weights()));
                Checks checks = new Checks(place, group, graph, session.storage());
                try (Assessment assessment =
                        new Assessment(place, graph, session, judge, checks, about(group.name(), last))) {
                    return assessment.judge(group.recipes(), members);
                }
            }
        } finally {
            members.forEach(Weights::close);
        }
    }

    private void trainPart(int part, List<Weights> members) {
        try (Session session = session(part);
                Evaluator validation = new Evaluator(
                        place.device(),
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
                place.device(),
                graph,
                material.train(),
                material.settings(),
                group.schedule(part),
                group.averaging(part),
                place.seed() * 1000 + part,
                material.mean(),
                material.std(),
                outlook(part));
    }

    /**
     * From part {@code part} on: what is collected, and two evaluators that measure. Where statistics are measured anew, one more
     * does that and one checks it on a copy, and a mean and samples are made.
     */
    private Outlook outlook(int part) {
        List<Product> products = group.recipes().stream().map(Recipe::product).toList();
        int models = group.predictsFromMembers()
                ? IntStream.range(part, group.parts())
                        .map(p -> group.schedule(p).collections().length)
                        .sum()
                : group.schedule(part).mostCollected(material.stepsPerEpoch());
        if (Set.of(Product.LAST, Product.MEMBERS).containsAll(products)) return new Outlook(models, 2);
        int drawn = products.contains(Product.SAMPLES)
                ? material.settings().family().samples()
                : 0;
        return new Outlook(models + drawn + 2, 4);
    }

    private Path partFolder(int part) {
        return group.partFolder(place.folder(), part);
    }

    private void train(Session session, int part, Evaluator validation) {
        Settings s = material.settings();
        Path folder = Folders.make(partFolder(part));
        Map<String, String> about = about(group.name(), part);
        about.put(Trainer.RUN, s + ", method=" + group.name() + ", seed=" + (place.seed() * 1000 + part));
        try (Monitor.Run shown =
                place.monitor().run(label(part), session.steps(), s.batch(), Trainer.progress(folder))) {
            Trainer trainer = new Trainer(
                            session,
                            group.schedule(part),
                            material.stepsPerEpoch(),
                            folder,
                            place.options().checkpointEvery(),
                            about,
                            group.predictsFromMembers(),
                            listener(session, validation, shown))
                    .describing(step -> Map.of("restarts", Integer.toString(group.restarts(step))));
            if (part > 0 && group.isTrunk(0)) trainer.startingFrom(Trainer.checkpoint(partFolder(0)));
            trainer.run();
        }
    }

    private String label(int part) {
        String which = group.parts() > 1 ? " " + (part + 1) + "/" + group.parts() : "";
        return group.name() + which + ", seed " + place.seed();
    }

    private static Trainer.Listener listener(Session session, Evaluator validation, Monitor.Run shown) {
        return new Trainer.Listener() {
            @Override
            public void onStep(int step) {
                shown.step(step);
            }

            @Override
            public Function<Trainer.Epoch, Map<String, Object>> onEpoch() {
                Supplier<Control.Totals> figures =
                        validation.begin(session.storage().live());
                return epoch -> {
                    Control.Totals v = figures.get();
                    shown.epoch(epoch, v.meanLoss(), v.accuracy());
                    Map<String, Object> extra = new LinkedHashMap<>();
                    extra.put("validation_loss", v.meanLoss());
                    extra.put("validation_accuracy", v.accuracy());
                    return extra;
                };
            }
        };
    }

    /** What a weights file says of itself: enough to load it, to normalise images for it and to know where it comes from. */
    private Map<String, String> about(String method, int part) {
        // Workers go on from their trunk's weights: they share its initialisation, not its order of samples.
        long init = place.seed() * 1000 + (group.isTrunk(0) ? 0 : part);
        Map<String, String> about =
                new LinkedHashMap<>(Provenance.of(material.settings(), method, init, material.mean(), material.std())
                        .on(material.fingerprint())
                        .header());
        about.put("seed", Long.toString(place.seed()));
        return about;
    }
}
