package io.basin.train;

import java.util.Arrays;
import java.util.Locale;
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
 * <p>Factories throw {@link IllegalArgumentException} naming the command line's flag.
 */
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

    /** The same rate throughout. No collections. */
    public static Schedule constant(int steps, double lr) {
        Flags.steps("--epochs", steps);
        Flags.rate("--lr", lr);
        return of("constant", steps, s -> lr, IntStream.empty());
    }

    /** {@code lr} times {@code gamma} once for every milestone {@code m <= s}. Milestones rise strictly within the run. */
    public static Schedule stepDecay(int steps, double lr, double gamma, int... milestones) {
        Flags.steps("--epochs", steps);
        Flags.rate("--lr", lr);
        Flags.rate("--gamma", gamma);
        int[] at = milestones.clone();
        Flags.rising("--milestones", at, steps);
        return of(
                "step decay",
                steps,
                s -> lr * Math.pow(gamma, Arrays.stream(at).filter(m -> m <= s).count()),
                IntStream.empty());
    }

    /**
     * The papers' SGD baseline: constant to half of the budget, linear to 0.01 of the rate at 0.9, then constant (timgaripov/swa,
     * {@code train.py}; there per epoch, here per step). No collections.
     */
    public static Schedule sgdPaper(int steps, double lr) {
        Flags.steps("--epochs", steps);
        Flags.rate("--lr", lr);
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
        Flags.steps("--epochs", steps);
        Flags.rate("--lr", lr);
        Flags.rate("--swa-lr", swaLr);
        Flags.within("--swa-start", swaStart, 1, steps);
        Flags.within("--swa-cycle", cycle, 1, steps);
        return of(
                "swa",
                steps,
                s -> s < swaStart ? piecewise(s, swaStart, lr, swaLr) : swaLr,
                every(swaStart - 1, cycle, steps));
    }

    /**
     * SWA with a cyclic rate (Izmailov et al. 2018, section 3.1): the first phase of {@link #swaPaper} descending to {@code a1},
     * then cycles {@code t = ((s - swaStart) mod c + 1) / c, lr = (1 - t) a1 + t a2}. Collected at the end of each cycle, where
     * the rate is {@code a2}. The paper's Algorithm 1 also counts the model it starts from; here it is not collected, having been
     * made at the high rate {@code a1}.
     *
     * @param a1 highest rate of a cycle
     * @param a2 lowest rate, {@code a2 <= a1}
     * @param cycle steps, must divide {@code steps - swaStart}: a last part of a cycle would be trained for nothing
     */
    public static Schedule swaCyclic(int steps, double lr, double a1, double a2, int swaStart, int cycle) {
        Flags.steps("--epochs", steps);
        Flags.rate("--lr", lr);
        Flags.descending("--swa-lr", a1, "--swa-low", a2);
        Flags.within("--swa-start", swaStart, 1, steps - 1);
        Flags.within("--cycle", cycle, 1, steps - swaStart);
        if ((steps - swaStart) % cycle != 0) {
            throw new IllegalArgumentException("--cycle must divide the " + (steps - swaStart)
                    + " steps after --swa-start, got " + cycle + " steps");
        }
        Schedule descent = of("swa", swaStart, s -> piecewise(s, swaStart, lr, a1), IntStream.empty());
        Schedule cycles = of(
                "cyclic",
                steps - swaStart,
                s -> {
                    double t = (s % cycle + 1.0) / cycle;
                    return (1 - t) * a1 + t * a2;
                },
                every(cycle - 1, cycle, steps - swaStart));
        return descent.then(cycles).named("swa cyclic");
    }

    /**
     * Fast geometric ensembling (Garipov et al. 2018, equation 3): {@link #sgdPaper} over {@code budget} steps, left at step
     * {@code start} (about 80 % of the budget), then triangles {@code t = ((s - start) mod c) / c}, lr {@code = a1 (1 - 2t) + a2
     * 2t} in the first half and {@code a1 (2t - 1) + a2 (2 - 2t)} in the second. The trainer keeps its momentum at the seam.
     *
     * <p>Collected at {@code start + k c + c/2}: right after the update that was made with the rate {@code a2}, the minimum. The
     * published {@code fge.py} predicts after the epoch with {@code epoch % cycle + 1 == cycle / 2}, that is after update {@code
     * c/2 - 1} of the cycle, whose rate is still {@code a2 + 2 (a1 - a2) / c}: one update earlier.
     *
     * @param steps of the whole run
     * @param budget of the SGD schedule, {@code start <= budget}
     * @param cycle steps, even, so that a step at exactly {@code a2} exists; a last cycle that is cut short is allowed, as the
     *     paper's own runs end right after their last snapshot
     */
    public static Schedule fge(int steps, double lr, int budget, int start, double a1, double a2, int cycle) {
        Flags.steps("--epochs", steps);
        Flags.rate("--lr", lr);
        Flags.steps("--budget", budget);
        Flags.within("--fge-start", start, 1, Math.min(budget, steps - 1));
        Flags.descending("--lr-1", a1, "--lr-2", a2);
        if (cycle < 2 || cycle % 2 != 0) {
            throw new IllegalArgumentException("--cycle must be even, got " + cycle
                    + " steps: the model is collected in its middle, at the lowest rate");
        }
        if (start + (long) cycle / 2 >= steps) {
            throw new IllegalArgumentException("--cycle must leave room for half a cycle after --fge-start, got "
                    + cycle + " steps of which " + (steps - start) + " remain");
        }
        Schedule triangles =
                of("triangles", steps - start, s -> triangle(s, cycle, a1, a2), every(cycle / 2, cycle, steps - start));
        return sgdPaper(budget, lr).first(start).then(triangles).named("fge");
    }

    /**
     * Snapshot ensembles (Huang et al. 2017, equation 2): {@code cycles} cosines {@code (lr / 2) (cos(pi p / C) + 1)}, {@code p}
     * the step in its cycle, {@code C} the cycle's length. Collected at the end of each cycle.
     *
     * <p>Where the number of cycles does not divide the steps, lengths differ by at most one: cycle {@code i} starts at {@code
     * floor(i T / M)}. The original Lua code takes {@code C = ceil(T / M)} and so ends amid its last cosine, at a high rate.
     */
    public static Schedule snapshotCosine(int steps, double lr, int cycles) {
        Flags.steps("--epochs", steps);
        Flags.rate("--lr", lr);
        Flags.within("--cycles", cycles, 1, steps);
        double[] rates = new double[steps];
        int[] ends = new int[cycles];
        for (int i = 0; i < cycles; i++) {
            int begin = (int) ((long) i * steps / cycles);
            int end = (int) ((i + 1L) * steps / cycles);
            for (int s = begin; s < end; s++) {
                rates[s] = lr / 2 * (Math.cos(Math.PI * (s - begin) / (end - begin)) + 1);
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
        Flags.steps("--epochs", steps);
        Flags.rate("--swa-lr", from);
        Flags.rate("--swa-low", to);
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
        Flags.steps("--epochs", steps);
        Flags.rate("--lr", lr);
        double peak = warmFraction * steps - 1;
        if (!(warmFraction < 1 && peak > 0)) {
            throw new IllegalArgumentException("--warm-fraction must lie below 1 and hold more than one of the " + steps
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
            throw new IllegalArgumentException("--warmup must not be negative, got " + steps + " steps");
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
        Flags.within("steps", steps, 1, lr.length);
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
        int[] at = steps.clone();
        Flags.rising("collections", at, lr.length);
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
        return String.format(
                Locale.ROOT,
                "%s: %d steps, rate %.3g to %.3g, %d collections",
                name,
                lr.length,
                lr[0],
                lr[lr.length - 1],
                collections.length);
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

    private static double triangle(int s, int cycle, double a1, double a2) {
        double t = (double) (s % cycle) / cycle;
        return t < 0.5 ? a1 * (1 - 2 * t) + a2 * 2 * t : a1 * (2 * t - 1) + a2 * (2 - 2 * t);
    }

    private static double anneal(double from, double to, double t) {
        return to + (from - to) / 2 * (1 + Math.cos(Math.PI * t));
    }

    private static IntStream every(int from, int stride, int steps) {
        return IntStream.iterate(from, s -> s < steps, s -> s + stride);
    }
}
