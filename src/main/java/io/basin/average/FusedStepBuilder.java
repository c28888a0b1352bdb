package io.basin.average;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.ForeignArrays;
import io.basin.device.ForeignStep;
import io.basin.device.ForeignStep.Role;
import io.basin.device.Optimizer;
import io.basin.device.UpdateRule;
import io.basin.io.Dtype;
import io.basin.methods.Schedule;
import io.basin.text.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * The float32 arrays that a {@link FusedStep} moves, by the letters of its formulas, its tables, and then the optimizer.
 *
 * <pre>
 *   w   weights, read and written              m, v   moments, as many as the optimizer keeps; zeros before the first step
 *   g   gradients of the loss, read            a      average; where no step averages nor pulls it may be left out
 *                                              s      variance of what was averaged (SWAG's diagonal), where it is wanted
 * </pre>
 *
 * Each letter may be added once a tensor; the k-th of each belong together and have the same number of elements.
 */
@Api
public final class FusedStepBuilder extends ArraysBuilder<FusedStepBuilder> {
    /** (number of weights): how many of them decay. */
    private final Map<Integer, Integer> decayed = new HashMap<>();

    private double[] lr = {};
    private double[] alpha = {};
    private double[] pull = {};
    private double clip;
    private int first;

    FusedStepBuilder(boolean host, long stream) {
        super(host, stream);
    }

    @Override
    FusedStepBuilder self() {
        return this;
    }

    @Override
    void require(String name, Dtype type) {
        if (role(name) == null) throw bad(name, "is not one of w, g, m, v, a and s");
        if (type != Dtype.F32) throw bad(name, "is " + type + "; a step takes F32");
    }

    private static @Nullable Role role(String name) {
        for (Role role : Role.values()) if (role.name().toLowerCase(Locale.ROOT).equals(name)) return role;
        return null;
    }

    /** Of the weights added last only the first {@code count} elements are subject to weight decay: 0 for a bias. */
    public FusedStepBuilder decayed(int count) {
        List<ForeignArrays.Array> weights = of(Role.W);
        if (weights.isEmpty())
            throw new IllegalStateException("`decayed` speaks of the weights added last: add w first");
        int most = weights.get(weights.size() - 1).count();
        if (count < 0 || count > most) {
            throw new IllegalArgumentException(
                    "`decayed` must lie between 0 and the " + most + " weights, got " + count);
        }
        decayed.put(weights.size() - 1, count);
        return this;
    }

    /** The learning rate of each step; past the table's end nothing changes. */
    public FusedStepBuilder lr(double... rates) {
        lr = Require.given("lr", rates).clone();
        return this;
    }

    /** How far each step moves the average toward the new weights, in [0, 1], 0 for not at all; as long as {@link #lr}. */
    public FusedStepBuilder average(double... alphas) {
        alpha = Require.given("average", alphas).clone();
        return this;
    }

    /** How far each step moves the weights toward the average afterwards, in [0, 1], 0 for not at all; as long as {@link #lr}. */
    public FusedStepBuilder pull(double... pulls) {
        pull = Require.given("pull", pulls).clone();
        return this;
    }

    /** {@link #average} and {@link #pull} of a method. */
    public FusedStepBuilder tables(PullTables method) {
        return average(method.alpha()).pull(method.pull());
    }

    /** Scales all gradients down where their norm, over all arrays, is above {@code norm}: by norm / (their norm + 1e-6), as PyTorch. */
    public FusedStepBuilder clip(double norm) {
        Require.positive("norm", norm);
        clip = norm;
        return this;
    }

    /** Begins with this step of the tables, counted from 0: where an interrupted loop goes on. */
    public FusedStepBuilder from(int step) {
        Require.atLeast("step", step, 0);
        first = step;
        return this;
    }

    private List<ForeignArrays.Array> of(Role role) {
        return arrays.stream().filter(a -> role(a.name()) == role).toList();
    }

    /**
     * Compiles on a GPU kernels that are not in the cache, uploads the tables and waits.
     *
     * @param optimizer Sgd, SgdW, AdamW or the caller's own rule
     */
    public FusedStep build(Optimizer optimizer) {
        double[] alphas = table("average", alpha);
        double[] pulls = table("pull", pull);
        int weights = of(Role.W).size();
        if (weights == 0) throw new IllegalArgumentException("no w was added: there is nothing to step");
        requireRates();
        requireRule(optimizer);
        List<ForeignStep.Strip> strips = new ArrayList<>();
        for (int k = 0; k < weights; k++) strips.add(new ForeignStep.Strip(new EnumMap<>(Role.class), 0));
        for (Role role : Role.values()) {
            boolean averages = any(alphas) || any(pulls);
            boolean needed = switch (role) {
                case W, G -> true;
                case M -> optimizer.moments() > 0;
                case V -> optimizer.moments() > 1;
                case A -> averages;
                case S -> false;
            };
            List<ForeignArrays.Array> all = of(role);
            if (all.size() != weights && (needed || !all.isEmpty())) {
                throw new IllegalArgumentException("`" + letter(role) + "` was added " + all.size() + " times, w "
                        + weights + " times" + (needed ? ": every tensor needs one" : ""));
            }
            for (int k = 0; k < all.size(); k++) put(strips.get(k), role, all.get(k));
        }
        for (int k = 0; k < weights; k++) {
            ForeignStep.Strip s = strips.get(k);
            strips.set(k, new ForeignStep.Strip(s.arrays(), decayed.getOrDefault(k, s.count())));
        }
        ForeignStep.Plan plan = new ForeignStep.Plan(strips, optimizer, lr, alphas, pulls, clip, first);
        return new FusedStep(List.copyOf(arrays), provider().foreignStep(stream, plan));
    }

    private void requireRates() {
        if (lr.length == 0) throw new IllegalArgumentException("`lr` has no steps: give the rate of each");
        for (int t = 0; t < lr.length; t++) Schedule.requireRate("lr", t, lr[t]);
    }

    private static void requireRule(Optimizer optimizer) {
        Require.given("optimizer", optimizer);
        Optimizer.requireMoments(optimizer);
        if (optimizer instanceof UpdateRule rule) Require.notNegative("weightDecay", rule.weightDecay());
    }

    private static String letter(Role role) {
        return role.name().toLowerCase(Locale.ROOT);
    }

    private static void put(ForeignStep.Strip strip, Role role, ForeignArrays.Array array) {
        ForeignArrays.Array w = strip.arrays().get(Role.W);
        if (w != null && w.count() != array.count()) {
            throw bad(letter(role), "has " + array.count() + " elements, but its w has " + w.count());
        }
        strip.arrays().put(role, array);
    }

    private static boolean any(double[] table) {
        return Arrays.stream(table).anyMatch(x -> x != 0);
    }

    private double[] table(String name, double[] given) {
        if (given.length == 0) return new double[lr.length];
        if (given.length != lr.length) {
            throw new IllegalArgumentException(
                    "`" + name + "` has " + given.length + " steps, but `lr` has " + lr.length);
        }
        for (double x : given) {
            if (!(x >= 0 && x <= 1)) throw new IllegalArgumentException("`" + name + "` must lie in [0, 1], got " + x);
        }
        return given;
    }
}
