package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.io.AtomicFile;
import io.basin.io.FolderLock;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.JsonLines;
import io.basin.report.Evidence;
import io.basin.report.Summary;
import io.basin.train.Plan;
import io.basin.train.Recipe;
import io.basin.train.Remarks;
import io.basin.train.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Trains every method at the same budget over several seeds and gathers what the test set says of each.
 *
 * <p>All methods of one seed start from the same weights and draw the same batches, so differences are paired. A folder per
 * group of methods and seed holds its run; a finished one holds {@code scores.json} and is not trained again when the
 * comparison resumes.
 */
public final class Comparison {
    private final Device device;
    private final Material material;
    private final List<Recipe> recipes;
    private final long[] seeds;
    private final Path folder;
    private final Options options;
    private final Monitor monitor;

    /**
     * @param methods names that {@link Recipe#of} knows
     * @param folder existing; holds everything the comparison writes
     */
    public Comparison(
            Device device,
            Material material,
            List<String> methods,
            long[] seeds,
            Path folder,
            Options options,
            Monitor monitor) {
        this.device = device;
        this.material = material;
        this.seeds = seeds.clone();
        this.folder = folder;
        this.options = options;
        this.monitor = monitor;
        Settings s = material.settings();
        recipes = methods.stream()
                .distinct()
                .map(m -> Recipe.of(m, s, material.stepsPerEpoch()))
                .toList();
    }

    /** Splits and uploads the data set. */
    public static Material material(Device device, TrainTest data, Settings settings) {
        return new Material(device, data, settings);
    }

    /** Plans every method's schedule without training: throws what {@link Recipe#of} throws; returns what {@link Remarks} say. */
    public static List<String> check(Device device, List<String> methods, Settings settings, Material material) {
        Plan.requirePrecision(device, settings.precision());
        int perEpoch = material.stepsPerEpoch();
        return methods.stream()
                .distinct()
                .flatMap(m -> Remarks.of(Recipe.of(m, settings, perEpoch), settings, perEpoch).stream())
                .toList();
    }

    /** Trains what is not trained yet; {@code facts} go into the summary as they are. */
    public Summary run(String title, Map<String, String> facts) {
        return FolderLock.holding(folder, () -> measured(title, facts));
    }

    private Summary measured(String title, Map<String, String> facts) {
        List<Result> results = new ArrayList<>();
        List<Summary.Curve> curves = new ArrayList<>();
        Evidence evidence = Evidence.NONE;
        for (long seed : seeds) {
            for (Group group : Group.of(recipes)) {
                Path place = Folders.make(folder.resolve("seed-" + seed).resolve(group.name()));
                Assessment.Outcome outcome = outcome(group, seed, place);
                results.addAll(outcome.results());
                evidence = evidence.and(outcome.evidence());
                curves.addAll(curves(group, seed, place));
            }
        }
        mergeMetrics();
        evidence = evidence.and(Findings.of(results)).and(agreement());
        return new Summary(
                title, facts, ordered(rows(results)), curves, plotted(recipes, material.stepsPerEpoch()), evidence);
    }

    private Assessment.Outcome outcome(Group group, long seed, Path place) {
        AtomicFile.sweep(place);
        Optional<List<Result>> results = Finished.read(place);
        if (results.isPresent()) {
            Evidence known = EvidenceFile.read(place);
            if (EvidenceFile.answers(known, options)) return new Assessment.Outcome(results.get(), known);
        }
        Assessment.Outcome outcome =
                new GroupRun(new GroupRun.Place(device, material, seed, place, options, monitor), group).run();
        EvidenceFile.write(place, outcome.evidence());
        Finished.write(place, outcome.results());
        return outcome;
    }

    private static Map<String, Summary.Row> rows(List<Result> results) {
        Map<String, Summary.Row> rows = new LinkedHashMap<>();
        for (Result r : results) {
            rows.computeIfAbsent(
                            r.method() + " " + r.combiner(),
                            key -> new Summary.Row(r.method(), r.combiner(), r.epochs(), r.passes(), new ArrayList<>()))
                    .scores()
                    .add(r.score());
        }
        return rows;
    }

    /** Whether another device predicts the same with a model of the first seed. */
    private Evidence agreement() {
        Path seed = folder.resolve("seed-" + seeds[0]);
        List<Path> files = Group.of(recipes).stream()
                .flatMap(g ->
                        g.recipes().stream().map(r -> seed.resolve(g.name()).resolve(r.name() + ".safetensors")))
                .filter(Files::exists)
                .toList();
        return new DeviceAgreement(device, material, Devices.providers()).check(files);
    }

    /** In the order in which the methods were asked for, not that of the groups. */
    private List<Summary.Row> ordered(Map<String, Summary.Row> rows) {
        List<Summary.Row> ordered = new ArrayList<>();
        for (Recipe recipe : recipes) {
            rows.values().stream().filter(r -> r.method().equals(recipe.name())).forEach(ordered::add);
        }
        return ordered;
    }

    /** The tables of planned runs, for pictures. */
    public static List<Summary.Plotted> plotted(List<Recipe> recipes, int stepsPerEpoch) {
        return recipes.stream()
                .map(r -> new Summary.Plotted(
                        r.name(),
                        r.path().lr(),
                        r.trunk() == null
                                ? r.averaging().alpha()
                                : new double[r.path().steps()],
                        r.path().collections(),
                        stepsPerEpoch))
                .toList();
    }

    private List<Summary.Curve> curves(Group group, long seed, Path place) {
        List<Summary.Curve> curves = new ArrayList<>();
        for (int part = 0; part < group.parts(); part++) {
            Path run = group.partFolder(place, part);
            List<Summary.Point> points = new ArrayList<>();
            Path metrics = run.resolve("metrics.jsonl");
            if (!Files.exists(metrics)) {
                throw new FormatException(
                        metrics.toString(),
                        "is missing, though its run has ended: remove the folder " + place + " to train it again");
            }
            for (JsonNode n : JsonLines.read(metrics)) {
                points.add(new Summary.Point(
                        n.path("epoch").asDouble(),
                        n.path("loss").asDouble(),
                        n.path("accuracy").asDouble(),
                        n.path("validation_loss").asDouble(),
                        n.path("validation_accuracy").asDouble()));
            }
            curves.add(new Summary.Curve(
                    group.parts() == 1 ? group.name() : group.name() + " " + (part + 1), seed, points));
        }
        return curves;
    }

    /** One file with every run's metrics, each line saying whose it is. */
    private void mergeMetrics() {
        StringBuilder all = new StringBuilder();
        for (long seed : seeds) {
            for (Group group : Group.of(recipes)) {
                for (int part = 0; part < group.parts(); part++) {
                    Path place = folder.resolve("seed-" + seed).resolve(group.name());
                    Path run = group.partFolder(place, part);
                    for (JsonNode n : JsonLines.read(run.resolve("metrics.jsonl"))) {
                        ObjectNode line = ((ObjectNode) Json.parse("{}", "metrics"))
                                .put("seed", seed)
                                .put("run", group.name())
                                .put("part", part);
                        line.setAll((ObjectNode) n);
                        all.append(Json.line(line)).append('\n');
                    }
                }
            }
        }
        AtomicFile.write(folder.resolve("metrics.jsonl"), all.toString());
    }
}
