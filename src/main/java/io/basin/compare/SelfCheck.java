package io.basin.compare;

import io.basin.Nullable;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.Weights;
import io.basin.io.Tensors;
import io.basin.methods.Averaging;
import io.basin.methods.Method;
import io.basin.methods.Schedule;
import io.basin.report.Extras;
import io.basin.report.Extras.Check;
import io.basin.text.Format;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Splits;
import io.basin.train.Training;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Whether a group's files and tables are what its methods promise, found out by other means than those that made them: averages
 * from the stored members in float64, statistics in one pass with another batch size, rates from the table on the device.
 */
record SelfCheck(Place place, Group group, Model model) {
    /** Of an average kept in float32 from the mean in float64, as a share of the tensor's largest weight. */
    private static final double AVERAGE_LIMIT = 1e-6;
    /** Of population statistics: means in standard deviations, variances as a share of themselves. */
    private static final double STATISTICS_LIMIT = 1e-3;

    /** Of a post-hoc average from the one that was not run, as a share of the largest value that a weight had. */
    private static final double FIT_LIMIT = 3e-2;

    private static final double EPSILON = 1e-5;
    private static final String AVERAGE = "average = float64 mean of the stored models";
    private static final String FIT = "post-hoc average = the average of its width, really run";
    private static final String STATISTICS = "batch-norm statistics = the population's";

    private static final String RATES = "models are collected at the promised rate and phase";

    private Extras notCovered(String what, String method, String why) {
        return Extras.of(Check.notCovered(what, method + ", seed " + place.seed(), why));
    }

    private Extras measured(String what, String method, String how, double difference, double limit) {
        String detail = Format.of("%s, largest difference %.1e (limit %.0e)", how, difference, limit);
        return Extras.of(Check.of(what, method + ", seed " + place.seed(), difference <= limit, detail));
    }

    /**
     * Compares a saved average with the mean of the members that it should be made of.
     *
     * @param chosen what a post-hoc average came to; null for others
     */
    Extras average(Method method, Path file, Products.@Nullable Chosen chosen) {
        List<Path> members = new ArrayList<>();
        double[] shares;
        if (method.product() == Method.Product.AVERAGE) {
            for (int step : averaged(method.averaging())) members.add(member(place.folder(), step, ""));
            shares = Arrays.stream(method.averaging().shares())
                    .filter(share -> share != 0)
                    .toArray();
        } else {
            for (int part = 0; part < group.parts(); part++) {
                Path folder = group.partFolder(place.folder(), part);
                for (int step : group.schedule(part).collections()) {
                    members.add(member(folder, step, ""));
                    if (chosen != null) members.add(member(folder, step, "-second"));
                }
            }
            shares = new double[members.size()];
            Arrays.fill(shares, 1.0 / shares.length);
        }
        if (chosen != null) shares = chosen.fit().shares();
        if (!members.stream().allMatch(Files::exists)) {
            return notCovered(AVERAGE, method.name(), "not every averaged model is stored");
        }
        List<String> names =
                model.store().parameters().stream().map(Parameter::name).toList();
        String how = members.size() + " models, relative to a tensor's largest weight";
        Extras made =
                measured(AVERAGE, method.name(), how, Tensors.fromMean(file, members, shares, names), AVERAGE_LIMIT);
        return chosen == null ? made : made.and(fit(method, chosen));
    }

    /** How near a post-hoc average is to that which was not run. */
    private Extras fit(Method method, Products.Chosen chosen) {
        double bound = chosen.fit().bound();
        String width = Format.of("width %.2f", chosen.width());
        if (bound > FIT_LIMIT) {
            return notCovered(
                    FIT,
                    method.name(),
                    Format.of(
                            "%s, error bound %.1e (limit %.0e): more `posthoc-ema.snapshots` make it nearer",
                            width, bound, FIT_LIMIT));
        }
        return measured(FIT, method.name(), width + ", bound as a share of a weight's largest value", bound, FIT_LIMIT);
    }

    private static Path member(Path folder, int step, String which) {
        return folder.resolve("member-" + step + which + ".safetensors");
    }

    private static int[] averaged(Averaging averaging) {
        double[] shares = averaging.shares();
        return IntStream.range(0, shares.length).filter(s -> shares[s] != 0).toArray();
    }

    /** Measures the statistics of an averaged model again, all at once and in batches of another size. */
    Extras statistics(String method, Weights average, Evaluator made, Options options) {
        if (!made.hasNorms()) return notCovered(STATISTICS, method, "the net has no batch norm");
        if (options.update().of(made) == Evaluator.Refresh.SINGLE) {
            String why =
                    "measured in a single pass, each batch normalised by itself; an exact measurement does without";
            return notCovered(STATISTICS, method, why);
        }
        Splits data = place.splits();
        Device device = data.device();
        BatchReader same = options.update().plain() ? data.plainBatch() : data.augmentedBatch();
        int batch = Math.max(1, same.batch() * 3 / 4);
        BatchReader other = same.ordered().withBatch(batch);
        try (Weights copy = model.store().copy(device, average);
                Evaluator again = new Evaluator(model, data.train(), other)) {
            again.remeasure(copy, pass -> {});
            String how = "measured again in batches of " + batch;
            return measured(STATISTICS, method, how, difference(device, average, copy), STATISTICS_LIMIT);
        }
    }

    private double difference(Device device, Weights a, Weights b) {
        double worst = 0;
        ParameterStore storage = model.store();
        Map<String, Parameter> states = storage.states().stream().collect(Collectors.toMap(Parameter::name, s -> s));
        for (Parameter var : states.values()) {
            if (!var.name().endsWith("running_var")) continue;
            Parameter mean = Objects.requireNonNull(states.get(var.name().replaceAll("running_var$", "running_mean")));
            float[] varA = storage.read(device, a, var.name());
            float[] varB = storage.read(device, b, var.name());
            float[] meanA = storage.read(device, a, mean.name());
            float[] meanB = storage.read(device, b, mean.name());
            for (int c = 0; c < varA.length; c++) {
                double v = varA[c] + EPSILON;
                worst = Math.max(worst, Math.abs(varA[c] - varB[c]) / v);
                worst = Math.max(worst, Math.abs(meanA[c] - meanB[c]) / Math.sqrt(v));
            }
        }
        return worst;
    }

    /** Compares the rates that the device had where models were made with those of the schedule, in float32. */
    Extras schedule(Method method, Training training) {
        if (method.product() == Method.Product.LAST) return Extras.NONE;
        Schedule schedule = method.schedule();
        int[] steps = schedule.collections();
        String broken = "";
        for (int step : steps) {
            double rate = training.rate(step);
            if (rate == (float) schedule.lr(step)) continue;
            broken = Format.of("step %d at rate %.4g, not %.4g", step, rate, schedule.lr(step));
            break;
        }
        int models = steps.length > 0 ? steps.length : method.averaging().collected();
        String where = method.name() + ", seed " + place.seed();
        return Extras.of(Check.of(RATES, where, broken.isEmpty(), broken.isEmpty() ? models + " models" : broken));
    }
}
