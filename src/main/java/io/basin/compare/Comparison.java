package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.ensemble.RunFolder;
import io.basin.io.AtomicFile;
import io.basin.io.FolderLock;
import io.basin.io.Folders;
import io.basin.io.FormatException;
import io.basin.io.JsonLines;
import io.basin.methods.Method;
import io.basin.nn.Graph;
import io.basin.report.Extras;
import io.basin.report.Summary;
import io.basin.text.Require;
import io.basin.train.BatchNormUpdate;
import io.basin.train.PlanCheck;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/**
 * Trains every method at the same budget over several seeds and gathers what the test set says of each.
 *
 * <p>All methods of one seed start from the same weights and draw the same batches, so differences are paired. A folder per
 * group of methods and seed holds its run; a finished one holds {@code scores.json} and is not trained again when the
 * comparison resumes.
 */
@Api
public final class Comparison {
    private final Splits splits;
    private final Settings settings;
    private final Supplier<Graph> net;
    private final List<Method> methods;
    private final long[] seeds;
    private final Path folder;
    private final Options options;
    private final Monitor monitor;
    private @Nullable Start start;
    private @Nullable Path events;

    /**
     * @param net builds the net; any caller's own will do
     * @param methods planned for these splits, each with a name of its own
     * @param folder existing; holds everything the comparison writes
     */
    public Comparison(
            Splits splits,
            Settings settings,
            Supplier<Graph> net,
            List<Method> methods,
            long[] seeds,
            Path folder,
            Options options,
            Monitor monitor) {
        this.splits = Require.given("splits", splits);
        this.settings = Require.given("settings", settings);
        this.net = Require.given("net", net);
        this.methods = List.copyOf(Require.given("methods", methods));
        this.seeds = Require.given("seeds", seeds).clone();
        this.folder = Require.given("folder", folder);
        this.options = Require.given("options", options);
        this.monitor = Require.given("monitor", monitor);
        Set<String> names = new HashSet<>();
        for (Method m : methods) {
            m.requireEpochsOf(splits.stepsPerEpoch());
            if (!names.add(m.name())) throw new IllegalArgumentException(m.name() + ": two methods have this name");
        }
    }

    /** The same, silent and with the usual options. */
    public Comparison(
            Splits splits, Settings settings, Supplier<Graph> net, List<Method> methods, long[] seeds, Path folder) {
        this(splits, settings, net, methods, seeds, folder, new Options(0, BatchNormUpdate.AUTO), Monitor.NONE);
    }

    /**
     * Has all runs go on from a net, as far into the budget as the methods' {@link io.basin.methods.Budget#done} says.
     *
     * @throws IllegalArgumentException where it is of another net, or was trained on other samples
     */
    public Comparison startingFrom(Start net) {
        net.requireFits(settings, splits);
        start = net;
        return this;
    }

    /**
     * Has all runs write what TensorBoard shows: curves, rates, averaging weights and histograms of weights at the end of each epoch.
     * Those of runs that have ended have the curves alone.
     *
     * @param folder gets a folder for each method, and in it one for each seed
     */
    public Comparison recordingTo(Path folder) {
        events = Require.given("folder", folder);
        return this;
    }

    /**
     * Cuts the data set as the settings say; which methods may then be planned for it.
     *
     * @throws io.basin.device.DeviceException if the device does not compute in the settings' precision
     */
    public static Splits splits(Device device, TrainTest data, Settings settings) {
        Require.given("device", device);
        PlanCheck.requirePrecision(device, Require.given("settings", settings).precision());
        return new Splits(device, data, settings.data()).cut();
    }

    /**
     * The work of one seed; methods that share a training count once.
     *
     * @param runs trainings
     * @param steps of all of them
     * @param models of the net that they leave on disk, without checkpoints
     */
    public record Effort(int runs, long steps, long models) {
        /** Models that a checkpoint holds: weights, momentum and an average. */
        public static final int CHECKPOINT = 3;

        public static Effort of(List<Method> methods) {
            int runs = 0;
            long steps = 0;
            long models = methods.size();
            for (Group group : Group.of(methods)) {
                for (int part = 0; part < group.parts(); part++) {
                    runs++;
                    steps += group.schedule(part).steps() - group.begin(part);
                    models += group.schedule(part).collections().length;
                }
            }
            return new Effort(runs, steps, models);
        }
    }

    /** Trains what is not trained yet; {@code facts} go into the summary as they are. */
    public Summary run(String title, Map<String, String> facts) {
        return FolderLock.holding(folder, () -> measured(title, facts));
    }

    private Summary measured(String title, Map<String, String> facts) {
        List<MethodScore> results = new ArrayList<>();
        List<Summary.Curve> curves = new ArrayList<>();
        StringBuilder metrics = new StringBuilder();
        Extras evidence = Extras.NONE;
        for (long seed : seeds) {
            for (Group group : groups(seed)) {
                Path place = Folders.make(folder.resolve("seed-" + seed).resolve(group.name()));
                TestEvaluation.Outcome outcome = outcome(group, seed, place);
                results.addAll(outcome.results());
                evidence = evidence.and(outcome.evidence());
                curves.addAll(curves(group, place(seed, place), metrics));
            }
        }
        AtomicFile.write(folder.resolve("metrics.jsonl"), metrics.toString());
        evidence = evidence.and(Findings.of(results)).and(agreement());
        return new Summary(title, facts, rows(results), curves, plotted(methods, splits.stepsPerEpoch()), evidence);
    }

    /** Those of a seed's folder, which are not trained again for a method that joins them. */
    private List<Group> groups(long seed) {
        Path place = folder.resolve("seed-" + seed);
        if (!Files.isDirectory(place)) return Group.of(methods);
        List<String> there = Folders.list(place).stream()
                .filter(Files::isDirectory)
                .map(f -> f.getFileName().toString())
                .sorted()
                .toList();
        return Group.of(methods, there);
    }

    /**
     * The work of one run: a seed's methods that train the same weights. A pure function of data, settings and itself, so that
     * another process may compute it in a folder of its own, by a comparison of these methods and this seed.
     *
     * @param folder below the comparison's, which holds all that comes of it; its {@code scores.json} comes last
     */
    public record Unit(long seed, List<String> methods, String folder) {}

    /** Those of which no results lie in the folder yet. */
    public List<Unit> unfinished() {
        List<Unit> units = new ArrayList<>();
        for (long seed : seeds) {
            for (Group group : groups(seed)) {
                String name = "seed-" + seed + "/" + group.name();
                if (Files.exists(folder.resolve(name).resolve(RunFolder.SCORES))) continue;
                units.add(new Unit(
                        seed, group.methods().stream().map(Method::name).toList(), name));
            }
        }
        return units;
    }

    private TestEvaluation.Outcome outcome(Group group, long seed, Path place) {
        AtomicFile.sweep(place);
        String identity = GroupRun.identity(settings, group, net.get()) + ", data=" + splits.fingerprint() + ", seed="
                + seed + (start == null ? "" : ", from=" + start.identity()) + ", statistics="
                + options.update().how() + ", plain="
                + options.update().plain();
        Optional<TestEvaluation.Outcome> finished = Finished.read(place, identity, options);
        if (finished.isPresent()) return finished.get();
        TestEvaluation.Outcome outcome = new GroupRun(place(seed, place), group).run();
        Finished.write(place, outcome, identity, options);
        return outcome;
    }

    private Place place(long seed, Path place) {
        return new Place(splits, settings, net, start, seed, place, events, options, monitor);
    }

    /** In the order in which the methods were asked for, not that of the groups. */
    private List<Summary.Row> rows(List<MethodScore> results) {
        Map<String, Summary.Row> rows = new LinkedHashMap<>();
        for (Method method : methods) {
            for (MethodScore r : results) {
                if (!r.method().equals(method.name())) continue;
                rows.computeIfAbsent(r.method() + " " + r.combiner(), key -> r.row())
                        .scores()
                        .add(r.score());
            }
        }
        return List.copyOf(rows.values());
    }

    /** Whether another device predicts the same with a model of the first seed. */
    private Extras agreement() {
        Path seed = folder.resolve("seed-" + seeds[0]);
        List<Path> files = groups(seeds[0]).stream()
                .flatMap(g ->
                        g.methods().stream().map(r -> seed.resolve(g.name()).resolve(r.name() + ".safetensors")))
                .filter(Files::exists)
                .toList();
        return new DeviceAgreement(splits, net, Devices.providers()).check(files);
    }

    /** The tables of planned runs, for pictures. */
    public static List<Summary.Plotted> plotted(List<Method> methods, int stepsPerEpoch) {
        return Require.given("methods", methods).stream()
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

    private static @Nullable Double figure(JsonNode line, String name) {
        return line.has(name) ? line.get(name).asDouble() : null;
    }

    /** Reads the metrics of a group's runs; adds their lines, each saying whose it is, to those of all runs. */
    private List<Summary.Curve> curves(Group group, Place place, StringBuilder all) {
        List<Summary.Curve> curves = new ArrayList<>();
        for (int part = 0; part < group.parts(); part++) {
            Path metrics = group.metrics(place.folder(), part);
            if (!Files.exists(metrics)) {
                throw new FormatException(
                        metrics.toString(),
                        "is missing, though its run has ended: remove the folder " + place.folder()
                                + " to train it again");
            }
            new Board(place, group, part, group.schedule(part).steps()).close();
            List<Summary.Point> points = new ArrayList<>();
            for (JsonNode n : JsonLines.read(metrics)) {
                points.add(new Summary.Point(
                        n.path("epoch").asDouble(),
                        n.path("loss").asDouble(),
                        n.path("accuracy").asDouble(),
                        figure(n, "validation_loss"),
                        figure(n, "validation_accuracy"),
                        figure(n, "average_loss"),
                        figure(n, "average_accuracy")));
                ObjectNode line = ((ObjectNode) n).put("seed", place.seed()).put("run", group.name());
                all.append(JsonLines.line(line.put("part", part), metrics.toString()));
            }
            curves.add(new Summary.Curve(
                    group.parts() == 1 ? group.name() : group.name() + " " + (part + 1), place.seed(), points));
        }
        return curves;
    }
}
