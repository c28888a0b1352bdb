package io.basin.compare;

import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.Weights;
import io.basin.nn.Graph;
import io.basin.report.Extras;
import io.basin.report.Extras.Check;
import io.basin.train.Averaging;
import io.basin.train.Checkpoint;
import io.basin.train.Evaluator;
import io.basin.train.Method;
import io.basin.train.Tensors;
import io.basin.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Whether a group's files and tables are what its methods promise, found out by other means than those that made them: averages
 * from the stored members in float64, statistics in one pass with another batch size, rates from the table on the device.
 */
final class SelfCheck {
    /** Of an average kept in float32 from the mean in float64, as a share of the tensor's largest weight. */
    private static final double AVERAGE_LIMIT = 1e-6;
    /** Of population statistics: means in standard deviations, variances as a share of themselves. */
    private static final double STATISTICS_LIMIT = 1e-3;

    private static final double EPSILON = 1e-5;
    private static final String AVERAGE = "average = float64 mean of the stored models";
    private static final String STATISTICS = "batch-norm statistics = the population's";

    private final GroupRun.Place place;
    private final Group group;
    private final Graph graph;
    private final ParameterStore storage;

    SelfCheck(GroupRun.Place place, Group group, Graph graph, ParameterStore storage) {
        this.place = place;
        this.group = group;
        this.graph = graph;
        this.storage = storage;
    }

    private Extras notCovered(String what, String method, String why) {
        return Extras.of(Check.notCovered(what, method + ", seed " + place.seed(), why));
    }

    private Extras measured(String what, String method, String how, double difference, double limit) {
        String detail = String.format(Locale.ROOT, "%s, largest difference %.1e (limit %.0e)", how, difference, limit);
        return Extras.of(Check.of(what, method + ", seed " + place.seed(), difference <= limit, detail));
    }

    /** Compares a saved average with the mean of the members that it should be made of. */
    Extras average(Method recipe, Path file) {
        List<Path> members = new ArrayList<>();
        if (recipe.product() == Method.Product.AVERAGE) {
            for (int step : averaged(recipe.averaging())) {
                if (recipe.averaging().alpha(step) != 1.0 / (members.size() + 1)) {
                    return notCovered(AVERAGE, recipe.name(), "its models do not count alike");
                }
                members.add(member(place.folder(), step));
            }
        } else {
            for (int part = 0; part < group.parts(); part++) {
                for (int step : group.schedule(part).collections()) {
                    members.add(member(group.partFolder(place.folder(), part), step));
                }
            }
        }
        if (!members.stream().allMatch(Files::exists)) {
            return notCovered(AVERAGE, recipe.name(), "not every averaged model is stored");
        }
        List<String> names = storage.parameters().stream().map(Parameter::name).toList();
        String how = members.size() + " models, relative to a tensor's largest weight";
        return measured(AVERAGE, recipe.name(), how, Tensors.fromMean(file, members, names), AVERAGE_LIMIT);
    }

    private static Path member(Path folder, int step) {
        return folder.resolve("member-" + step + ".safetensors");
    }

    private static int[] averaged(Averaging averaging) {
        double[] alpha = averaging.alpha();
        return IntStream.range(0, alpha.length).filter(s -> alpha[s] != 0).toArray();
    }

    /** Measures the statistics of an averaged model again, all at once and in batches of another size. */
    Extras statistics(String method, Weights average, Evaluator made, Options options) {
        if (!made.hasNorms()) return notCovered(STATISTICS, method, "the net has no batch norm");
        if (options.refresh(made) == Evaluator.Refresh.SINGLE) {
            String why = "measured in a single pass, each batch normalised by itself; --bn-update exact does without";
            return notCovered(STATISTICS, method, why);
        }
        Device device = place.device();
        Splits data = place.material();
        BatchReader same = options.plainRefresh() ? data.plainBatch() : data.augmentedBatch();
        int batch = Math.max(1, same.batch() * 3 / 4);
        BatchReader other = same.ordered().withBatch(batch);
        try (Weights copy = storage.copy(device, average);
                Evaluator again = new Evaluator(
                        device,
                        graph,
                        storage,
                        data.train(),
                        other,
                        data.settings().precision())) {
            again.remeasure(copy, pass -> {});
            String how = "measured again in batches of " + batch;
            return measured(STATISTICS, method, how, difference(device, average, copy), STATISTICS_LIMIT);
        }
    }

    private double difference(Device device, Weights a, Weights b) {
        double worst = 0;
        Map<String, ParameterStore.State> states =
                storage.states().stream().collect(Collectors.toMap(ParameterStore.State::name, s -> s));
        for (ParameterStore.State var : states.values()) {
            if (!var.name().endsWith("running_var")) continue;
            ParameterStore.State mean = states.get(var.name().replaceAll("running_var$", "running_mean"));
            float[] varA = Checkpoint.state(device, var, a);
            float[] varB = Checkpoint.state(device, var, b);
            float[] meanA = Checkpoint.state(device, mean, a);
            float[] meanB = Checkpoint.state(device, mean, b);
            for (int c = 0; c < varA.length; c++) {
                double v = varA[c] + EPSILON;
                worst = Math.max(worst, Math.abs(varA[c] - varB[c]) / v);
                worst = Math.max(worst, Math.abs(meanA[c] - meanB[c]) / Math.sqrt(v));
            }
        }
        return worst;
    }

    /** Compares the models that are made, and the device's rates at their steps, with what the method promises. */
    Extras schedule(Method recipe, Training session) {
        if (recipe.product() == Method.Product.LAST) return Extras.NONE;
        // LAWA averages the last few of what it collects; of the others that average, all.
        boolean stored = recipe.product().fromMembers() || recipe.name().equals("lawa");
        int[] steps = stored ? recipe.schedule().collections() : averaged(recipe.averaging());
        CollectionRule promise = CollectionRule.of(
                recipe.name(), place.material().settings(), place.material().stepsPerEpoch());
        String broken = promise.broken(steps, session::rate);
        String detail = broken.isEmpty() ? steps.length + " models, " + promise.text() : broken;
        String where = recipe.name() + ", seed " + place.seed();
        return Extras.of(Check.of(CollectionRule.WHAT, where, broken.isEmpty(), detail));
    }
}
