package io.basin.methods;

import io.basin.Api;
import io.basin.text.Format;
import io.basin.text.Require;
import java.util.Arrays;
import java.util.function.IntToDoubleFunction;
import java.util.stream.IntStream;

/**
 * The learning rate of every step of a run, and the steps after which a model is collected.
 *
 * <p>An immutable table, because then any two schedules compose ({@link #first}, {@link #then}, {@link #warmUp}), can be plotted,
 * and mean the same on every device. {@code lr(s)} is the rate of update {@code s}, counted from 0; a collection at {@code s}
 * means: right after update {@code s}. All lengths are in steps: a factory's argument of {@code e} epochs is {@code e} times the
 * steps per epoch.
 *
 * <p>Factories throw {@link IllegalArgumentException} naming the argument.
 */
@Api
public final class Schedule {
    /** Final over initial rate of the papers' plain SGD (Izmailov et al. 2018, section 4.1). */
    static final double PAPER_RATIO = 0.01;

    /** The longest run: its tables of rates and weights, one number a step, must fit the memory several times over. */
    public static final int MOST_STEPS = 4_000_000;

    private static final int[] NONE = {};

    private final String name;
    private final double[] lr;
    private final int[] collections;

    private Schedule(String name, double[] lr, int[] collections) {
        this.name = name;
        this.lr = lr;
        this.collections = collections;
    }

    private static Schedule of(String name, int steps, IntToDoubleFunction rate, IntStream collections) {
        return new Schedule(name, IntStream.range(0, steps).mapToDouble(rate).toArray(), collections.toArray());
    }

    /** @throws IllegalArgumentException for the rate of a step that no schedule may have */
    public static void requireRate(String name, int step, double rate) {
        Require.given("name", name);
        float used = (float) rate;
        if (used >= 0 && used < Float.POSITIVE_INFINITY) return;
        throw new IllegalArgumentException(
                "`" + name + "` must not be negative, and finite in float32; that of step " + step + " is " + rate);
    }

    /**
     * A caller's own schedule: a schedule is data.
     *
     * @param rates of every update, (steps), finite in float32 and not negative
     * @param collect steps right after whose update a model is collected, rising
     */
    public static Schedule of(String name, double[] rates, int... collect) {
        Require.given("name", name);
        requireSteps("rates", Require.given("rates", rates).length);
        for (int s = 0; s < rates.length; s++) requireRate("rates", s, rates[s]);
        return new Schedule(name, rates.clone(), new int[0]).collecting(collect);
    }

    private static void requireSteps(String name, int steps) {
        Require.steps(name, steps, 1, MOST_STEPS);
    }

    /** The same rate throughout. No collections. */
    public static Schedule constant(int steps, double lr) {
        requireSteps("steps", steps);
        Require.rate("lr", lr);
        return of("constant", steps, s -> lr, IntStream.empty());
    }

    /** {@code lr} times {@code gamma} once for every milestone {@code m <= s}. Milestones rise strictly within the run. */
    public static Schedule stepDecay(int steps, double lr, double gamma, int... milestones) {
        requireSteps("steps", steps);
        Require.rate("lr", lr);
        Require.rate("gamma", gamma);
        int[] at = Require.given("milestones", milestones).clone();
        Require.rising("milestones", at, steps);
        return of(
                "step decay",
                steps,
                s -> lr
                        * StrictMath.pow(gamma, (double)
                                Arrays.stream(at).filter(m -> m <= s).count()),
                IntStream.empty());
    }

    /**
     * The papers' SGD baseline: constant to half of the budget, linear to 0.01 of the rate at 0.9, then constant (timgaripov/swa,
     * {@code train.py}; there per epoch, here per step). No collections.
     */
    public static Schedule sgdPaper(int steps, double lr) {
        requireSteps("steps", steps);
        Require.rate("lr", lr);
        return of("sgd", steps, s -> piecewise(s, steps, lr, lr * PAPER_RATIO), IntStream.empty());
    }

    /**
     * SWA with a constant rate (Izmailov et al. 2018; timgaripov/swa): the piecewise linear descent with {@code swaStart} as its
     * budget, from {@code lr} to {@code swaLr}, then {@code swaLr}.
     *
     * <p>Collected as in the published code, whose test {@code epoch + 1 >= swa_start && (epoch + 1 - swa_start) % c == 0} is
     * made after the epoch: first when {@code swaStart} updates are done, so at step {@code swaStart - 1}, then every
     * {@code cycle} steps.
     *
     * @param swaStart steps of the first phase, 1 to {@code steps}
     * @param cycle steps between collections, usually one epoch
     */
    public static Schedule swaPaper(int steps, double lr, double swaLr, int swaStart, int cycle) {
        requireSteps("steps", steps);
        Require.rate("lr", lr);
        Require.rate("swaLr", swaLr);
        Require.steps("swaStart", swaStart, 1, steps);
        Require.steps("cycle", cycle, 1, steps);
        return of(
                "swa",
                steps,
                s -> s < swaStart ? piecewise(s, swaStart, lr, swaLr) : swaLr,
                every(swaStart - 1, cycle, steps));
    }

    /**
     * SWA with a cyclic rate (Izmailov et al. 2018, section 3.1; the published code has only the constant one): the first phase of
     * {@link #swaPaper} descending to {@code a1}, then cycles {@code t = (p + 1) / c, lr = (1 - t) a1 + t a2}, {@code p} the step
     * in its cycle and {@code c} the cycle's length. Collected at the end of each cycle, where the rate is {@code a2}. The paper's
     * Algorithm 1 also counts the model it starts from; here it is not collected, having been made at the high rate {@code a1}.
     *
     * @param a1 highest rate of a cycle
     * @param a2 lowest rate, {@code a2 <= a1}
     * @param cycle steps, at least 1; must divide {@code steps - swaStart}, as training a last part of a cycle would be
     *     wasted. Where it is not whole, lengths differ by at most one step.
     */
    public static Schedule swaCyclic(int steps, double lr, double a1, double a2, int swaStart, double cycle) {
        requireSteps("steps", steps);
        Require.rate("lr", lr);
        Require.descending("a1", a1, "a2", a2);
        Require.steps("swaStart", swaStart, 1, steps - 1);
        int room = steps - swaStart;
        int cycles = (int) Math.round(room / cycle);
        if (!(cycle >= 1) || cycles < 1 || Math.abs(cycles * cycle - room) > 1e-6 * room) {
            throw new IllegalArgumentException(
                    "`cycle` must divide the " + room + " steps after `swaStart`, got " + cycle + " steps");
        }
        double[] rates = new double[room];
        int[] ends = new int[cycles];
        for (int k = 0; k < cycles; k++) {
            int from = edge(cycle, k);
            int to = edge(cycle, k + 1);
            for (int s = from; s < to; s++) {
                double t = (s - from + 1.0) / (to - from);
                rates[s] = (1 - t) * a1 + t * a2;
            }
            ends[k] = to - 1;
        }
        Schedule descent = of("swa", swaStart, s -> piecewise(s, swaStart, lr, a1), IntStream.empty());
        return descent.then(new Schedule("cyclic", rates, ends)).named("swa cyclic");
    }

    /**
     * Fast geometric ensembling (Garipov et al. 2018, equation 3): {@link #sgdPaper} over {@code budget} steps, left at step
     * {@code start} (about 80 % of the budget), then triangles {@code t = ((s - start) mod c) / c}, lr {@code = a1 (1 - 2t) + a2
     * 2t} in the first half and {@code a1 (2t - 1) + a2 (2 - 2t)} in the second. The trainer keeps its momentum at the seam.
     *
     * <p>Collected after update {@code c/2 - 1} of each cycle, as in the published {@code fge.py}, which predicts after the epoch
     * with {@code epoch % cycle + 1 == cycle / 2}: the last update of the descent, whose rate is {@code a2 + 2 (a1 - a2) / c}.
     * So a run of {@code k + 1/2} cycles ends with a model; one update later it would lose it. Steps after the last model, half
     * a cycle where the cycles are whole, are wasted.
     *
     * @param steps of the whole run
     * @param budget of the SGD schedule, {@code start <= budget}
     * @param cycle steps, at least 4: in half a cycle of one step the model would be collected at {@code a1}. Where half of it is
     *     not whole, lengths of halves differ by at most one step; a last cycle may be cut short.
     */
    public static Schedule fge(int steps, double lr, int budget, int start, double a1, double a2, double cycle) {
        requireSteps("steps", steps);
        Require.rate("lr", lr);
        requireSteps("budget", budget);
        Require.steps("start", start, 1, Math.min(budget, steps - 1));
        return sgdPaper(budget, lr)
                .first(start)
                .then(triangles(steps - start, a1, a2, cycle))
                .named("fge");
    }

    /** The second phase of {@link #fge} alone, {@code room} steps of triangles. */
    public static Schedule triangles(int room, double a1, double a2, double cycle) {
        Require.descending("a1", a1, "a2", a2);
        if (!(cycle >= 4)) {
            throw new IllegalArgumentException("`cycle` must be at least 4 steps, got " + cycle
                    + ": the model is collected in its middle, where the rate is low");
        }
        if (edge(cycle / 2, 1) > room) {
            throw new IllegalArgumentException("`cycle` must leave room for half a cycle after `start`, got " + cycle
                    + " steps of which " + room + " remain");
        }
        double[] rates = new double[room];
        IntStream.Builder middles = IntStream.builder();
        for (int half = 0; edge(cycle / 2, half) < room; half++) {
            int from = edge(cycle / 2, half);
            int to = edge(cycle / 2, half + 1);
            boolean falls = half % 2 == 0;
            for (int s = from; s < Math.min(to, room); s++) {
                double done = (double) (s - from) / (to - from);
                rates[s] = falls ? a1 * (1 - done) + a2 * done : a1 * done + a2 * (1 - done);
            }
            if (falls && to <= room) middles.add(to - 1);
        }
        return new Schedule("triangles", rates, middles.build().toArray());
    }

    /**
     * Snapshot ensembles (Huang et al. 2017, equation 2): {@code cycles} cosines {@code (lr / 2) (cos(pi p / C) + 1)}, {@code p}
     * the step in its cycle, {@code C} the cycle's length. Collected at the end of each cycle.
     *
     * <p>Where the number of cycles does not divide the steps, lengths differ by at most one: cycle {@code i} starts at {@code
     * floor(i T / M)}. The original Lua code takes {@code floor(T / M)} steps for all cycles but the last and the rest for the last,
     * and computes every phase modulo the last one's length: its last cycle starts at the wrong phase, and its last snapshot is
     * taken at a high rate.
     */
    public static Schedule snapshotCosine(int steps, double lr, int cycles) {
        requireSteps("steps", steps);
        Require.rate("lr", lr);
        Require.steps("cycles", cycles, 1, steps);
        double[] rates = new double[steps];
        int[] ends = new int[cycles];
        for (int i = 0; i < cycles; i++) {
            int begin = (int) ((long) i * steps / cycles);
            int end = (int) ((i + 1L) * steps / cycles);
            for (int s = begin; s < end; s++) {
                rates[s] = lr / 2 * (StrictMath.cos(Math.PI * (s - begin) / (end - begin)) + 1);
            }
            ends[i] = end - 1;
        }
        return new Schedule("snapshot", rates, ends);
    }

    /** One cosine from {@code lr} towards 0, no restart: {@code (lr / 2) (cos(pi s / T) + 1)}. No collections. */
    public static Schedule cosine(int steps, double lr) {
        return new Schedule("cosine", snapshotCosine(steps, lr, 1).lr, NONE);
    }

    /** In a straight line from {@code from} at the first step to {@code to} at the last. No collections. */
    public static Schedule linear(int steps, double from, double to) {
        requireSteps("steps", steps);
        Require.rate("from", from);
        Require.rate("to", to);
        return of("linear", steps, s -> steps == 1 ? to : from + (to - from) * s / (steps - 1), IntStream.empty());
    }

    /**
     * One cycle (Smith and Topin 2017; the curve of PyTorch's {@code OneCycleLR} with its defaults): cosine from {@code lr / 25}
     * up to {@code lr} at step {@code warmFraction T - 1}, cosine down to {@code lr / 250000} at the last step. No collections.
     *
     * @param lr the highest rate
     * @param warmFraction of the steps, in (0, 1), PyTorch's default 0.3
     */
    public static Schedule oneCycle(int steps, double lr, double warmFraction) {
        requireSteps("steps", steps);
        Require.rate("lr", lr);
        double peak = warmFraction * steps - 1;
        if (!(warmFraction < 1 && peak > 0)) {
            throw new IllegalArgumentException("`warmFraction` must lie below 1 and hold more than one of the " + steps
                    + " steps, got " + warmFraction);
        }
        double low = lr / 25;
        return of(
                "one cycle",
                steps,
                s -> s <= peak ? anneal(low, lr, s / peak) : anneal(lr, low / 1e4, (s - peak) / (steps - 1 - peak)),
                IntStream.empty());
    }

    /**
     * This schedule after a linear warm-up of {@code steps} updates, {@code lr(0) (s + 1) / steps}; the run grows by as many.
     * Collections move with it, so a whole number of epochs keeps them at the ends of epochs. 0 steps: this schedule.
     */
    public Schedule warmUp(int steps) {
        if (steps < 0) {
            throw new IllegalArgumentException("`warmUp` must not be negative, got " + steps + " steps");
        }
        if (steps == 0) {
            return this;
        }
        double top = lr[0];
        return of("warm-up", steps, s -> top * (s + 1) / steps, IntStream.empty())
                .then(this)
                .named(name + " after warm-up");
    }

    /** The first {@code steps} steps, with the collections among them. */
    public Schedule first(int steps) {
        Require.steps("steps", steps, 1, lr.length);
        int[] kept = Arrays.stream(collections).filter(s -> s < steps).toArray();
        return new Schedule(name, Arrays.copyOf(lr, steps), kept);
    }

    /** This schedule, then {@code next}, whose steps and collections are moved behind. */
    public Schedule then(Schedule next) {
        int total = Math.addExact(lr.length, next.lr.length);
        double[] rates = Arrays.copyOf(lr, total);
        System.arraycopy(next.lr, 0, rates, lr.length, next.lr.length);
        int[] all = IntStream.concat(
                        Arrays.stream(collections),
                        Arrays.stream(next.collections).map(s -> s + lr.length))
                .toArray();
        return new Schedule(name + " then " + next.name, rates, all);
    }

    /** The same rates, with other collections: strictly rising steps of this run. */
    public Schedule collecting(int... steps) {
        int[] at = Require.given("collect", steps).clone();
        Require.rising("collections", at, lr.length);
        return new Schedule(name, lr, at);
    }

    /** Number of updates, at least 1. */
    public int steps() {
        return lr.length;
    }

    /** The rate of update {@code step}, 0-based. */
    public double lr(int step) {
        return lr[step];
    }

    /** All rates, a copy, (steps). */
    public double[] lr() {
        return lr.clone();
    }

    /** The steps right after whose update a model is collected, rising, a copy. */
    public int[] collections() {
        return collections.clone();
    }

    /** The most models that are collected within one epoch. */
    public int mostCollected(int stepsPerEpoch) {
        int most = 0;
        int[] inEpoch = new int[steps() / stepsPerEpoch + 1];
        for (int s : collections) most = Math.max(most, ++inEpoch[s / stepsPerEpoch]);
        return most;
    }

    @Override
    public String toString() {
        return Format.of(
                "%s: %d steps, rate %.3g to %.3g, %d collections",
                name, lr.length, lr[0], lr[lr.length - 1], collections.length);
    }

    private Schedule named(String other) {
        return new Schedule(other, lr, collections);
    }

    /** The SGD baseline: u = s / budget; flat, linear between 0.5 and 0.9, flat. */
    private static double piecewise(int s, int budget, double lr, double last) {
        double u = (double) s / budget;
        if (u <= 0.5) {
            return lr;
        }
        return u <= 0.9 ? lr * (1 - (1 - last / lr) * (u - 0.5) / 0.4) : last;
    }

    /** The first step of part {@code k}, of parts that are {@code length} steps long on average. */
    private static int edge(double length, int k) {
        return (int) Math.round(k * length);
    }

    private static double anneal(double from, double to, double t) {
        return to + (from - to) / 2 * (1 + StrictMath.cos(Math.PI * t));
    }

    private static IntStream every(int from, int stride, int steps) {
        return IntStream.iterate(from, s -> s < steps, s -> s + stride);
    }
}
