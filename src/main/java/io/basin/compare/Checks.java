package io.basin.compare;

import io.basin.device.Device;
import io.basin.device.Parameter;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Weights;
import io.basin.graph.Graph;
import io.basin.io.Safetensors;
import io.basin.report.Evidence;
import io.basin.report.Evidence.Check;
import io.basin.train.Averaging;
import io.basin.train.Evaluator;
import io.basin.train.Recipe;
import io.basin.train.Session;
import java.nio.FloatBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * Whether a group's files and tables are what its methods promise, found out by other means than those that made them: averages
 * from the stored members in float64, statistics in one pass with another batch size, rates from the table on the device.
 */
final class Checks {
    /** Of an average kept in float32 from the mean in float64, as a share of the tensor's largest weight. */
    static final double AVERAGE_LIMIT = 1e-6;
    /** Of population statistics: means in standard deviations, variances as a share of themselves. */
    static final double STATISTICS_LIMIT = 1e-3;

    private static final double EPSILON = 1e-5;
    private static final String AVERAGE = "average = float64 mean of the stored models";
    private static final String STATISTICS = "batch-norm statistics = the population's";

    private final GroupRun.Place place;
    private final Group group;
    private final Graph graph;
    private final Storage storage;

    Checks(GroupRun.Place place, Group group, Graph graph, Storage storage) {
        this.place = place;
        this.group = group;
        this.graph = graph;
        this.storage = storage;
    }

    private String where(Recipe recipe) {
        return recipe.name() + ", seed " + place.seed();
    }

    private static Evidence one(Check check) {
        return new Evidence(List.of(), List.of(), List.of(), List.of(), List.of(check));
    }

    /** Compares a saved average with the mean of the members that it should be made of. */
    Evidence average(Recipe recipe, Path file) {
        List<Path> members = new ArrayList<>();
        if (recipe.product() == Recipe.Product.AVERAGE) {
            String why = whyNoMean(recipe.averaging());
            if (!why.isEmpty()) return one(Check.notCovered(AVERAGE, where(recipe), why));
            for (int step : averaged(recipe.averaging())) members.add(member(place.folder(), step));
        } else {
            for (int part = 0; part < group.parts(); part++) {
                for (int step : group.schedule(part).collections()) {
                    members.add(member(group.partFolder(place.folder(), part), step));
                }
            }
        }
        if (!members.stream().allMatch(Files::exists)) {
            return one(Check.notCovered(AVERAGE, where(recipe), "not every averaged model is stored"));
        }
        double difference = difference(file, members);
        return one(Check.of(
                AVERAGE,
                where(recipe),
                difference <= AVERAGE_LIMIT,
                String.format(
                        Locale.ROOT,
                        "%d models, largest difference %.1e of a tensor's largest weight (limit %.0e)",
                        members.size(),
                        difference,
                        AVERAGE_LIMIT)));
    }

    private static Path member(Path folder, int step) {
        return folder.resolve("member-" + step + ".safetensors");
    }

    private static int[] averaged(Averaging averaging) {
        double[] alpha = averaging.alpha();
        return java.util.stream.IntStream.range(0, alpha.length)
                .filter(s -> alpha[s] != 0)
                .toArray();
    }

    private static String whyNoMean(Averaging averaging) {
        int[] steps = averaged(averaging);
        for (int n = 0; n < steps.length; n++) {
            if (averaging.alpha(steps[n]) != 1.0 / (n + 1)) return "its models do not count alike";
        }
        return "";
    }

    /** Largest |average - mean| over a tensor's largest |mean|, over all parameters. */
    private double difference(Path file, List<Path> members) {
        Map<String, double[]> means = new HashMap<>();
        for (Path member : members) {
            try (Safetensors in = Safetensors.open(member)) {
                for (Parameter p : storage.parameters()) {
                    float[] values = in.floats(p.name());
                    double[] mean = means.computeIfAbsent(p.name(), n -> new double[values.length]);
                    for (int i = 0; i < mean.length; i++) mean[i] += values[i] / (double) members.size();
                }
            }
        }
        double worst = 0;
        try (Safetensors in = Safetensors.open(file)) {
            for (Parameter p : storage.parameters()) {
                double[] mean = means.get(p.name());
                float[] average = in.floats(p.name());
                double scale = Arrays.stream(mean).map(Math::abs).max().orElse(0);
                for (int i = 0; i < mean.length; i++) {
                    double d = Math.abs(average[i] - mean[i]);
                    if (d > 0) worst = Math.max(worst, d / scale);
                }
            }
        }
        return worst;
    }

    /** Measures the statistics of an averaged model again, all at once and in batches of another size. */
    Evidence statistics(String method, Weights average, Evaluator made, Options options) {
        String where = method + ", seed " + place.seed();
        if (!made.hasNorms()) return one(Check.notCovered(STATISTICS, where, "the net has no batch norm"));
        if (options.refresh(made) == Evaluator.Refresh.SINGLE) {
            return one(Check.notCovered(
                    STATISTICS,
                    where,
                    "measured in a single pass, each batch normalised by itself; --bn-update exact does without"));
        }
        Device device = place.device();
        Spec.Batch same = options.plainRefresh()
                ? place.material().plainBatch()
                : place.material().augmentedBatch();
        int batch = Math.max(1, same.batch() * 3 / 4);
        Spec.Batch other = new Spec.Batch(batch, same.pad(), same.flip(), same.mean(), same.std(), same.seed(), false);
        try (Weights copy = storage.copy(device, average);
                Evaluator again = new Evaluator(
                        device,
                        graph,
                        storage,
                        place.material().train(),
                        other,
                        place.material().settings().precision())) {
            again.remeasure(copy, pass -> {});
            double difference = difference(average, copy);
            return one(Check.of(
                    STATISTICS,
                    where,
                    difference <= STATISTICS_LIMIT,
                    String.format(
                            Locale.ROOT,
                            "measured again in batches of %d, largest difference %.1e (limit %.0e)",
                            batch,
                            difference,
                            STATISTICS_LIMIT)));
        }
    }

    private double difference(Weights a, Weights b) {
        double worst = 0;
        for (Storage.State s : storage.states()) {
            if (!s.name().endsWith("running_var")) continue;
            String mean = s.name().replaceAll("running_var$", "running_mean");
            float[] varA = read(a, s.name());
            float[] varB = read(b, s.name());
            float[] meanA = read(a, mean);
            float[] meanB = read(b, mean);
            for (int c = 0; c < varA.length; c++) {
                double var = varA[c] + EPSILON;
                worst = Math.max(worst, Math.abs(varA[c] - varB[c]) / var);
                worst = Math.max(worst, Math.abs(meanA[c] - meanB[c]) / Math.sqrt(var));
            }
        }
        return worst;
    }

    private float[] read(Weights weights, String name) {
        Storage.State s = storage.states().stream()
                .filter(x -> x.name().equals(name))
                .findFirst()
                .orElseThrow();
        float[] values = new float[Math.toIntExact(s.shape().elements())];
        place.device().unpack(weights.state(), s.slot().offset(), null, FloatBuffer.wrap(values));
        return values;
    }

    /** Compares the models that are made, and the device's rates at their steps, with what the method promises. */
    Evidence schedule(Recipe recipe, Session session) {
        if (recipe.product() == Recipe.Product.LAST) return Evidence.NONE;
        // LAWA averages the last few of what it collects; of the others that average, all.
        boolean stored = recipe.product().fromMembers() || recipe.name().equals("lawa");
        int[] steps = stored ? recipe.schedule().collections() : averaged(recipe.averaging());
        Promise promise = Promise.of(
                recipe.name(), place.material().settings(), place.material().stepsPerEpoch());
        String broken = promise.broken(steps, session::rate);
        return one(Check.of(
                Promise.WHAT,
                where(recipe),
                broken.isEmpty(),
                broken.isEmpty() ? steps.length + " models, " + promise.text() : broken));
    }
}
