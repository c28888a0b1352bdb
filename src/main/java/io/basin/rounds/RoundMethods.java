package io.basin.rounds;

import io.basin.Api;
import io.basin.methods.Averaging;
import io.basin.methods.Baseline;
import io.basin.methods.Budget;
import io.basin.methods.Schedule;
import io.basin.rounds.RoundPlan.Lane;
import io.basin.rounds.RoundPlan.Outer;
import io.basin.rounds.RoundPlan.Round;
import io.basin.rounds.RoundPlan.Share;
import io.basin.text.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.LongStream;

/**
 * The published ways to train by several workers, as tables. All draw equally many samples: an epoch of the budget is one pass over the
 * training samples by all workers together, so that k workers each take a kth of its steps.
 *
 * <p>Workers differ in their order of samples, drawn from seed {@code 1000 seed + worker} as all parts of a comparison are; the first
 * weights are those that a comparison with {@code seed} begins with.
 *
 * @param workers at least 1
 * @param budget epochs of all workers together, rate, warm-up and how the rate falls
 * @param stepsPerEpoch of one worker that draws the whole training part
 * @param batch samples a step of one worker
 */
@Api
public record RoundMethods(long seed, int workers, Budget budget, int stepsPerEpoch, int batch) {
    public RoundMethods {
        Require.atLeast("workers", workers, 1);
        Require.given("budget", budget);
        Require.atLeast("stepsPerEpoch", stepsPerEpoch, 1);
        Require.atLeast("batch", batch, 1);
    }

    /** Of all methods, as their plans and the command line name them. */
    public static List<String> names() {
        return List.of("local-sgd", "diloco", "post-local-sgd", "swap", "parallel-swa", "independent");
    }

    /** Local SGD (Stich 2018, arXiv 1805.09767): the mean of the weights every {@code steps} steps. */
    public RoundPlan localSgd(int steps) {
        return together("local-sgd", steps, Outer.MEAN);
    }

    /**
     * DiLoCo (Douillard et al. 2023, arXiv 2311.08105): workers keep the moments of their own optimizer, AdamW in the paper, and Nesterov's
     * momentum moves the weights along the mean of their differences.
     *
     * @param steps of a round; the paper has 500
     * @param outerLr the paper's is 0.7
     * @param outerMomentum the paper's is 0.9
     */
    public RoundPlan diLoCo(int steps, double outerLr, double outerMomentum) {
        return together("diloco", steps, new Outer(outerLr, outerMomentum));
    }

    private RoundPlan together(String name, int steps, Outer outer) {
        Require.atLeast("innerSteps", steps, 1);
        Schedule path = path(1);
        return new RoundPlan(
                name,
                1000 * seed,
                lanes(0, batch, path.lr()),
                RoundPlan.together(workers, 0, path.steps(), steps, outer));
    }

    /**
     * Post-local SGD (Lin et al. 2018, arXiv 1808.07217): large batches, those of all workers together, and from {@code switchAt} of
     * the budget on local SGD.
     */
    public RoundPlan postLocalSgd(int steps, double switchAt) {
        Require.atLeast("innerSteps", steps, 1);
        Require.fraction("switchAt", switchAt);
        double[] lr = path(2).lr();
        int trunk = at(switchAt, lr.length);
        double[] rest = Arrays.copyOfRange(lr, trunk, lr.length);
        return new RoundPlan(
                "post-local-sgd",
                1000 * seed,
                withTrunk(Arrays.copyOf(lr, trunk), batch * workers, lanes(0, batch, rest)),
                then(trunk, steps, RoundPlan.together(workers, 1, rest.length, steps, Outer.MEAN)));
    }

    /**
     * Stochastic weight averaging in parallel (Gupta et al. 2020, arXiv 2001.02312): large batches up to {@code start} of the budget,
     * then workers that refine on their own at a falling rate, and one mean at the end.
     *
     * @param lr where workers begin
     * @param low where they end
     */
    public RoundPlan swap(double start, double lr, double low) {
        Require.fraction("start", start);
        double[] all = path(2).lr();
        int trunk = at(start, all.length);
        double[] own = Schedule.linear(all.length - trunk, lr, low).lr();
        return new RoundPlan(
                "swap",
                1000 * seed,
                withTrunk(Arrays.copyOf(all, trunk), batch * workers, lanes(0, batch, own)),
                then(trunk, trunk, RoundPlan.together(workers, 1, own.length, own.length, Outer.MEAN)));
    }

    /** SWA whose tail several workers go at a constant rate: the mean of their averages, each of every step's weights. */
    public RoundPlan parallelSwa(double start, double swaLr) {
        Require.fraction("start", start);
        double[] whole = path(budget, 1).lr();
        int trunk = at(start, whole.length);
        requireCarried(whole.length - trunk, 1);
        int each = (whole.length - trunk) / workers;
        double[] own = Schedule.constant(each, swaLr).lr();
        double[] alpha = Averaging.tail(each, 0).alpha();
        List<Lane> tails =
                seeds(1, workers).mapToObj(s -> new Lane(s, batch, own, alpha)).toList();
        return new RoundPlan(
                "parallel-swa",
                1000 * seed,
                withTrunk(Arrays.copyOf(whole, trunk), batch, tails),
                then(trunk, trunk, RoundPlan.together(workers, 1, each, each, Outer.MEAN)));
    }

    /** As many nets as workers, each from first weights of its own, which share the budget. */
    public RoundPlan independent() {
        double[] lr = path(1).lr();
        return new RoundPlan("independent", 1000 * seed, lanes(0, batch, lr), List.of(members(workers, lr.length)));
    }

    /** One net a rate, each with the whole budget, the same first weights and the same order of samples. */
    public RoundPlan sweep(List<Double> rates) {
        List<Lane> lanes = new ArrayList<>();
        int steps = 0;
        for (double lr : rates) {
            Budget own = new Budget(
                    budget.epochs(), lr, budget.warmUp(), budget.annealing(), budget.done(), budget.multiples());
            double[] table = path(own, 1).lr();
            lanes.add(new Lane(1000 * seed, batch, table, new double[table.length]));
            steps = table.length;
        }
        return new RoundPlan("sweep", 1000 * seed, lanes, List.of(members(rates.size(), steps)));
    }

    private static Round members(int count, int steps) {
        return new Round(
                IntStream.range(0, count).mapToObj(w -> new Share(w, 0, steps)).toList(), null);
    }

    /** Conventional training's rates of a worker's part of the budget, of so many steps or more. */
    private Schedule path(int least) {
        requireCarried(path(budget, 1).steps(), least);
        return path(budget, workers);
    }

    private void requireCarried(int steps, int least) {
        if (steps / workers >= least) return;
        throw new IllegalArgumentException("`workers` " + workers + " share " + steps
                + " steps of the budget, which carry " + (steps < least ? "none" : "at most " + steps / least)
                + ": take fewer, more `epochs`, or a smaller `batch`");
    }

    /** Conventional training's rates over a {@code part}th of the budget. */
    private Schedule path(Budget whole, int part) {
        Budget own = new Budget(
                whole.epochs() / part, whole.lr(), whole.warmUp() / part, whole.annealing(), 0, List.of(1.0));
        return new Baseline().plan(own, stepsPerEpoch).schedule();
    }

    private static int at(double fraction, int steps) {
        return Math.max(1, Math.min(steps - 1, (int) Math.round(fraction * steps)));
    }

    private LongStream seeds(int from, int count) {
        return LongStream.range(from, from + count).map(w -> 1000 * seed + w);
    }

    private List<Lane> lanes(int from, int size, double[] lr) {
        return seeds(from, workers)
                .mapToObj(s -> new Lane(s, size, lr, new double[lr.length]))
                .toList();
    }

    private List<Lane> withTrunk(double[] lr, int size, List<Lane> rest) {
        List<Lane> all = new ArrayList<>(List.of(new Lane(1000 * seed, size, lr, new double[lr.length])));
        all.addAll(rest);
        return all;
    }

    /** Lane 0 in rounds of {@code each}, so that no more than one is lost, and what follows it. */
    private static List<Round> then(int trunk, int each, List<Round> rest) {
        List<Round> all = new ArrayList<>(RoundPlan.together(1, 0, trunk, each, Outer.MEAN));
        all.addAll(rest);
        return all;
    }
}
