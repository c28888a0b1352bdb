package io.basin.methods;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.io.Sha256;
import io.basin.text.Printable;
import io.basin.text.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;

/**
 * A training as tables: a schedule, the models that it collects or averages, and what becomes of them. All methods run through
 * the same trainer; nothing else tells them apart. {@link MethodSettings#plan} makes the published ones, the constructor without
 * an origin makes the caller's own.
 *
 * @param name of its folders and files
 * @param runs how many times the schedule is run, each from its own initialisation, or from the trunk's end
 * @param product what predicts
 * @param trunk run once before, and where all runs begin; null where there is none
 * @param origin settings and budget that it was planned from; null for a caller's own tables
 */
@Api
public record Method(
        String name,
        int runs,
        Schedule schedule,
        Averaging averaging,
        Product product,
        @Nullable Schedule trunk,
        @Nullable Origin origin) {
    /** The models that a method predicts with. */
    public enum Product {
        /** The last weights. */
        LAST,
        /** The running average. */
        AVERAGE,
        /** All collected models together. */
        MEMBERS,
        /** Models drawn from the Gaussian that the collected ones describe. */
        SAMPLES,
        /** One model, the mean of the collected ones. */
        MEAN,
        /** One model, combined of two averages that were both collected: see {@link PowerEma}. */
        POWER;

        /** Whether its weights were never run forward, and so have no batch-norm statistics of their own yet. */
        public boolean isMade() {
            return this != LAST && this != MEMBERS;
        }

        /** Whether the run must keep its average. */
        public boolean averages() {
            return this == AVERAGE || this == POWER;
        }

        /** Whether it is made of collected models, which must then be kept. */
        public boolean fromMembers() {
            return this != LAST && this != AVERAGE;
        }
    }

    /** The settings and budget that a published method was planned from. */
    public record Origin(MethodSettings settings, Budget budget, int stepsPerEpoch) {}

    public Method {
        if (!Require.given("name", name).matches("[A-Za-z0-9][A-Za-z0-9._-]{0,63}")) {
            throw new IllegalArgumentException("a method's name is that of its folder: up to 64 letters, digits and any"
                    + " of ._-, got '" + Printable.of(name) + "'");
        }
        if (runs < 1) throw new IllegalArgumentException(name + ": at least one run is needed, got " + runs);
        Require.given("product", product);
        if (Require.given("schedule", schedule).steps()
                != Require.given("averaging", averaging).steps()) {
            throw new IllegalArgumentException(
                    name + ": its schedule has " + schedule.steps() + " steps and its averaging " + averaging.steps());
        }
        if (product == Product.AVERAGE && averaging.collected() == 0) {
            throw new IllegalArgumentException(name + ": it predicts with an average, and averages nothing");
        }
        if (product == Product.POWER && !(origin != null && origin.settings() instanceof PowerEma)) {
            throw new IllegalArgumentException(name + ": only a plan of PowerEma combines two averages");
        }
        int least = product == Product.SAMPLES ? 3 : product.fromMembers() ? 1 : 0;
        if (runs * (long) schedule.collections().length < least) {
            throw new IllegalArgumentException(name + ": it predicts with collected models, and collects fewer than "
                    + least + ": name steps in its schedule");
        }
    }

    /** A caller's own method: one run without a trunk. */
    public Method(String name, Schedule schedule, Averaging averaging, Product product) {
        this(name, 1, schedule, averaging, product, null, null);
    }

    /**
     * A caller's own method that predicts with its average.
     *
     * @param lr learning rate of each step
     * @param alpha of each step, {@code average += alpha (w - average)}; as many
     */
    public static Method of(String name, double[] lr, double[] alpha) {
        return new Method(name, Schedule.of(name, lr), Averaging.of(alpha), Product.AVERAGE);
    }

    /** A published method of one run without a trunk. */
    Method(
            MethodSettings settings,
            Budget budget,
            int stepsPerEpoch,
            Schedule schedule,
            Averaging averaging,
            Product product) {
        this(settings.name(), 1, schedule, averaging, product, null, new Origin(settings, budget, stepsPerEpoch));
    }

    /** @throws IllegalArgumentException where it was planned for epochs of another length */
    public void requireEpochsOf(int stepsPerEpoch) {
        if (origin == null || origin.stepsPerEpoch() == stepsPerEpoch) return;
        throw new IllegalArgumentException(name + " was planned for epochs of " + origin.stepsPerEpoch()
                + " steps, and one of these data has " + stepsPerEpoch + ": plan it for that");
    }

    /** The settings by which samples are drawn. */
    public Swag swag() {
        return origin != null && origin.settings() instanceof Swag s ? s : new Swag(new Swa(0.75, 0.01), 10, 20, 1);
    }

    /**
     * Post-hoc EMA of the averages that it collects.
     *
     * @throws IllegalStateException where it has none, {@link Product#POWER}
     */
    public PostHocEma postHoc() {
        if (product != Product.POWER) throw new IllegalStateException(name + " does not collect averages");
        return PowerEma.stored(this);
    }

    /** Restarts of the rate to a high value before the model collected after {@code step}. */
    public int restarts(int step) {
        if (origin == null || !origin.settings().restarts()) return 0;
        return (int) Arrays.stream(schedule.collections()).filter(s -> s < step).count();
    }

    /** Updates at its beginning that are not trained, as its starting net had them already. */
    public int begin() {
        return origin == null ? 0 : (int) Math.round(origin.budget().done() * origin.stepsPerEpoch());
    }

    /** The steps after which it gives a product beside that of the budget itself, by the multiple of it. */
    public Map<Double, Integer> products() {
        Map<Double, Integer> all = new TreeMap<>();
        if (origin == null || origin.budget().multiples().size() < 2) return all;
        if (product == Product.LAST || product == Product.POWER) return all;
        // A mean of the first ones alone would be another method's.
        if (product == Product.AVERAGE && !Arrays.equals(averaging.alpha(), equalMean())) return all;
        for (double multiple : origin.budget().multiples()) {
            int steps = (int) Math.round(multiple * origin.budget().epochs() * origin.stepsPerEpoch());
            if (steps <= schedule.steps() && schedule.collections().length > 0) all.put(multiple, steps);
        }
        return all.size() < 2 ? Map.of() : all;
    }

    private double[] equalMean() {
        return Averaging.swa(schedule.steps(), schedule.collections()).alpha();
    }

    /** Training runs: the trunk counts as one. */
    public int parts() {
        return runs + (trunk == null ? 0 : 1);
    }

    /** Whether part {@code part} is the trunk, whose end all others begin with. */
    public boolean isTrunk(int part) {
        return trunk != null && part == 0;
    }

    /** The training of one net from its first weights on. */
    public Schedule path() {
        return trunk == null ? schedule : trunk.then(schedule);
    }

    /** Updates of all parts together. */
    public long totalSteps() {
        return (long) runs * schedule.steps() + (trunk == null ? 0 : trunk.steps());
    }

    /** Whether both would train the very same weights, step by step, so that one run can serve them. */
    public boolean sameTraining(Method other) {
        return runs == other.runs
                && trunk == null
                && other.trunk == null
                && Arrays.equals(schedule.lr(), other.schedule.lr())
                && Arrays.equals(averaging.pull(), other.averaging.pull());
    }

    /** Everything that decides what is trained, in words as far as there are any and as a sum of the tables. */
    public String identity() {
        String planned = "";
        if (origin != null) {
            String settings = origin.settings().toString().replaceAll("\\w+\\[|\\]", "");
            planned = origin.budget().identity() + (settings.isEmpty() ? "" : ", " + settings);
        }
        return "method=" + name + planned + ", runs=" + runs + ", product=" + product + ", tables=" + tables();
    }

    private String tables() {
        double[] none = {};
        int[] collections = schedule.collections();
        List<double[]> all = new ArrayList<>(List.of(
                schedule.lr(),
                averaging.alpha(),
                IntStream.of(collections).asDoubleStream().toArray(),
                trunk == null ? none : trunk.lr()));
        // Only for methods that have them: older runs of others still resume.
        for (double[] table : List.of(averaging.pull(), averaging.second())) if (table.length > 0) all.add(table);
        return Sha256.of(all).substring(0, 16);
    }
}
