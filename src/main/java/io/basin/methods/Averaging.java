package io.basin.methods;

import io.basin.Api;
import io.basin.text.Require;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * The weight alpha of every step in {@code average += alpha (w - average)}, applied right after the step's update.
 *
 * <p>Every average used here is this recursion with another table: 0 leaves the average alone, 1 copies, as the first
 * collection always does. {@code n} counts collected models, not steps or epochs. The average must start at 0: then the first collection
 * copies exactly, while {@code average + (w - average)} from any other content is off by that content's rounding, and NaN stays.
 *
 * <p>Methods that train on from their average have one more table, {@code w += pull (average - w)} right after that; 1 copies.
 */
@Api
public final class Averaging {
    private final String name;
    private final double[] alpha;
    /** (steps), or empty where no step pulls. */
    private final double[] pull;

    /** (steps), or empty where there is no second average. */
    private final double[] second;

    private Averaging(String name, double[] alpha, double[] pull, double[] second) {
        this.name = name;
        this.alpha = alpha;
        this.pull = pull;
        this.second = second;
    }

    private Averaging(String name, double[] alpha) {
        this(name, alpha, new double[0], new double[0]);
    }

    /**
     * A caller's own average.
     *
     * @param alpha the weight of every step's model, (steps), in [0, 1]; the first that is not 0 must be 1, as there is no average yet
     */
    public static Averaging of(double... alpha) {
        double[] all = table(Require.given("alpha", alpha).length);
        boolean began = false;
        for (int s = 0; s < all.length; s++) {
            requireAlpha(s, alpha[s], began);
            began |= alpha[s] > 0;
            all[s] = alpha[s];
        }
        return new Averaging("own", all);
    }

    /** @throws IllegalArgumentException for a weight that the model after {@code step} may not have in an average, which has begun or not */
    public static void requireAlpha(int step, double alpha, boolean began) {
        if (alpha >= 0 && alpha <= 1 && (began || alpha == 0 || alpha == 1)) return;
        throw new IllegalArgumentException(
                "`alpha` must lie in [0, 1], and its first that is not 0 must be 1; that of step " + step + " is "
                        + alpha);
    }

    /** No averaging. */
    public static Averaging none(int steps) {
        return new Averaging("none", table(steps));
    }

    /**
     * Equal weights (SWA, Izmailov et al. 2018, Algorithm 1): alpha is 1/(n+1) with n models collected before.
     *
     * @param collections rising steps, e.g. {@link Schedule#collections()}
     */
    public static Averaging swa(int steps, int... collections) {
        return new Averaging("swa", equal(steps, collections));
    }

    /** Tail averaging (Polyak-Ruppert from {@code start} on): SWA over every step from {@code start}. */
    public static Averaging tail(int steps, int start) {
        return new Averaging("tail", equal(steps, everyStep(steps, start)));
    }

    /**
     * Exponential moving average: the first collection copies, collection k (from 0) takes {@code 1 - d}; with {@code warmUp}
     * {@code 1 - min(d, (1 + k) / (10 + k))}, so that early, quickly outdated weights are forgotten sooner.
     *
     * @param decay d, in [0, 1)
     * @param collections rising steps, usually {@link #everyStep}
     */
    public static Averaging ema(int steps, double decay, boolean warmUp, int... collections) {
        Require.belowOne("decay", decay);
        double[] alpha = table(steps);
        Require.rising("collections", collections, steps);
        for (int k = 0; k < collections.length; k++) {
            double d = warmUp ? Math.min(decay, (1.0 + k) / (10.0 + k)) : decay;
            alpha[collections[k]] = k == 0 ? 1 : 1 - d;
        }
        return new Averaging("ema", alpha);
    }

    /**
     * LAWA (Kaddour 2022): the equal mean of the last {@code k} collections of the run. Only those are averaged; with fewer than
     * {@code k} collections, all.
     */
    public static Averaging lawa(int steps, int k, int... collections) {
        Require.atLeast("k", k, 1);
        Require.rising("collections", collections, steps);
        int from = Math.max(0, collections.length - k);
        return new Averaging("lawa", equal(steps, Arrays.copyOfRange(collections, from, collections.length)));
    }

    /**
     * The same average, toward which the weights move afterwards.
     *
     * @param pulls how far after each step, (steps), in [0, 1]; 0 for not at all, and 1 for {@code w = average}
     */
    public Averaging pulling(double... pulls) {
        if (Require.given("pull", pulls).length != alpha.length) {
            throw new IllegalArgumentException(
                    "`pull` must have a number for each of " + alpha.length + " steps, got " + pulls.length);
        }
        boolean began = false;
        for (int s = 0; s < pulls.length; s++) {
            began |= alpha[s] > 0;
            if (pulls[s] == 0 || pulls[s] > 0 && pulls[s] <= 1 && began) continue;
            throw new IllegalArgumentException("`pull` must lie in [0, 1], and be 0 before the average begins; that of"
                    + " step " + s + " is " + pulls[s]);
        }
        return new Averaging(name, alpha, pulls.clone(), second);
    }

    /**
     * The power-function average (Karras et al. 2024, arXiv 2312.02696): {@code alpha = 1 - (1 - 1/t)^(gamma + 1)} at the t-th
     * collection, from 1; the i-th model of n weighs about as {@code (i/n)^gamma}.
     *
     * @param collections rising steps, usually {@link #everyStep}
     */
    public static Averaging power(int steps, double gamma, int... collections) {
        Require.positive("gamma", gamma);
        Require.rising("collections", collections, steps);
        double[] alpha = table(steps);
        for (int k = 0; k < collections.length; k++) {
            alpha[collections[k]] = 1 - StrictMath.pow(1 - 1 / (k + 1.0), gamma + 1);
        }
        return new Averaging("power " + gamma, alpha);
    }

    /** The same average, and beside it another of the same weights; both are collected. */
    Averaging beside(Averaging other) {
        return new Averaging(name, alpha, pull, other.alpha);
    }

    /** The same average, which the weights become after the steps {@code at}, rising. */
    Averaging pullingAt(int... at) {
        Require.rising("at", at, alpha.length);
        double[] pulls = new double[alpha.length];
        for (int s : at) pulls[s] = 1;
        return pulling(pulls);
    }

    /** All steps from {@code start} on. */
    public static int[] everyStep(int steps, int start) {
        Require.steps("start", start, 0, steps - 1);
        return IntStream.range(start, steps).toArray();
    }

    /** Number of updates. */
    public int steps() {
        return alpha.length;
    }

    /** The weight of the model after update {@code step}. */
    public double alpha(int step) {
        return alpha[step];
    }

    /** All weights, a copy, (steps). */
    public double[] alpha() {
        return alpha.clone();
    }

    /** How far the weights move toward the average after each step, a copy, (steps); empty where they never do. */
    public double[] pull() {
        return pull.clone();
    }

    /** The weight of every step's model in a second average, a copy, (steps); empty where there is none. */
    public double[] second() {
        return second.clone();
    }

    /** How much the model after each step weighs in the average at the end, (steps), 1 together where any does. */
    public double[] shares() {
        double[] shares = new double[alpha.length];
        double left = 1;
        for (int s = alpha.length - 1; s >= 0; s--) {
            shares[s] = left * alpha[s];
            left *= 1 - alpha[s];
        }
        return shares;
    }

    /** How many models the average takes in. */
    public int collected() {
        return (int) Arrays.stream(alpha).filter(a -> a != 0).count();
    }

    @Override
    public String toString() {
        return name + " of " + collected() + " models";
    }

    private static double[] equal(int steps, int[] collections) {
        double[] alpha = table(steps);
        Require.rising("collections", collections, steps);
        for (int n = 0; n < collections.length; n++) {
            alpha[collections[n]] = 1.0 / (n + 1);
        }
        return alpha;
    }

    private static double[] table(int steps) {
        Require.steps("steps", steps, 1, Schedule.MOST_STEPS);
        return new double[steps];
    }
}
