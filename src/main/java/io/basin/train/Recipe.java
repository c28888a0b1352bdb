package io.basin.train;

import io.basin.text.Closest;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;

/**
 * A method: a schedule, which models it collects or averages, and what becomes of them. All methods run through the same
 * trainer; nothing else tells them apart.
 *
 * @param runs how many times the schedule is run, each from its own initialisation, or from the trunk's end
 * @param product what predicts
 * @param trunk run once before, and where all runs begin; null where there is none
 */
public record Recipe(String name, int runs, Schedule schedule, Averaging averaging, Product product, Schedule trunk) {
    /** What a method's predictions come from. */
    public enum Product {
        /** The last weights. */
        LAST(false),
        /** The running average. */
        AVERAGE(false),
        /** All collected models together. */
        MEMBERS(true),
        /** Models drawn from the Gaussian that the collected ones describe. */
        SAMPLES(true),
        /** One model, the mean of the collected ones. */
        MEAN(true);

        private final boolean members;

        Product(boolean members) {
            this.members = members;
        }

        /** Whether it is made of collected models, which must then be kept. */
        public boolean fromMembers() {
            return members;
        }
    }

    /** A method without a trunk. */
    public Recipe(String name, int runs, Schedule schedule, Averaging averaging, Product product) {
        this(name, runs, schedule, averaging, product, null);
    }

    /** Every name that {@link #of} knows. */
    public static final List<String> NAMES = List.of(
            "sgd", "ema", "swa", "swa-cyclic", "lawa", "tail", "swag", "swap", "snapshot", "fge", "independent");

    /**
     * The method called {@code name} at the given budget.
     *
     * @param stepsPerEpoch whole batches in an epoch
     * @throws IllegalArgumentException naming the flag at fault
     */
    public static Recipe of(String name, Settings s, int stepsPerEpoch) {
        int steps = steps("--epochs", s.epochs(), stepsPerEpoch);
        int warm = (int) Math.round(s.warmUp() * stepsPerEpoch);
        int rest = steps - warm;
        Schedule sgd = Schedule.sgdPaper(rest, s.lr());
        return switch (known("--method", name)) {
            case "sgd" -> new Recipe(name, 1, sgd.warmUp(warm), Averaging.none(steps), Product.LAST);
            case "ema" -> new Recipe(name, 1, sgd.warmUp(warm), ema(s, steps), Product.AVERAGE);
            case "swa" -> swa(name, constant(s, rest).warmUp(warm));
            case "swa-cyclic" -> swa(name, cyclic(s, rest).warmUp(warm));
            case "tail" -> tail(name, s, rest, warm);
            case "lawa" -> lawa(name, s, sgd.warmUp(warm).collecting(epochEnds(steps, stepsPerEpoch)));
            case "swag" -> swag(name, constant(s, rest).warmUp(warm));
            case "swap" -> swap(name, s, rest, warm);
            case "snapshot" ->
                members(
                        name,
                        1,
                        Schedule.snapshotCosine(rest, s.snapshotLr(), s.snapshots())
                                .warmUp(warm));
            case "fge" -> members(name, 1, fge(s, rest).warmUp(warm));
            case "independent" -> members(name, s.runs(), one(s, steps / s.runs(), warm));
            default -> throw new IllegalStateException(name);
        };
    }

    /**
     * The name itself.
     *
     * @throws IllegalArgumentException naming {@code flag} for an unknown one, listing the known ones
     */
    public static String known(String flag, String name) {
        if (NAMES.contains(name)) return name;
        throw new IllegalArgumentException(flag + ": " + Closest.unknown("method", name, NAMES));
    }

    private static Averaging ema(Settings s, int steps) {
        return Averaging.ema(steps, s.emaDecay(), true, Averaging.everyStep(steps, 0));
    }

    /** Steps before the start at {@code fraction} of them. */
    private static int start(double fraction, int steps) {
        return Math.max(1, (int) Math.round(fraction * steps));
    }

    /** Collections at whole parts of what follows the start, rounded to steps, the last one at the run's end. */
    private static Schedule constant(Settings s, int steps) {
        int start = start(s.swaStart(), steps);
        double left = (1 - s.swaStart()) * (s.epochs() - s.warmUp());
        int cycles = parts("--swa-cycle", s.swaCycle(), left, 1, "--swa-start");
        int[] at = IntStream.rangeClosed(0, cycles)
                .map(k -> start + (int) Math.round((double) k * (steps - start) / cycles) - 1)
                .distinct()
                .toArray();
        return Schedule.swaPaper(steps, s.lr(), s.swaLr(), start, 1).collecting(at);
    }

    private static Recipe lawa(String name, Settings s, Schedule collecting) {
        Averaging last = Averaging.lawa(collecting.steps(), s.lawa(), collecting.collections());
        return new Recipe(name, 1, collecting, last, Product.AVERAGE);
    }

    /** One net of an independent ensemble, collected at its end. */
    private static Schedule one(Settings s, int steps, int warm) {
        if (steps <= warm) {
            throw new IllegalArgumentException("--runs " + s.runs() + " leaves each net too few steps");
        }
        return Schedule.sgdPaper(steps - warm, s.lr())
                .collecting(steps - warm - 1)
                .warmUp(warm);
    }

    private static Recipe swa(String name, Schedule schedule) {
        return new Recipe(name, 1, schedule, Averaging.swa(schedule.steps(), schedule.collections()), Product.AVERAGE);
    }

    /** Averages after every step, and stores none of these models. */
    private static Recipe tail(String name, Settings s, int steps, int warm) {
        int start = start(s.swaStart(), steps);
        Schedule schedule = Schedule.swaPaper(steps, s.lr(), s.swaLr(), start, 1)
                .warmUp(warm)
                .collecting();
        return new Recipe(name, 1, schedule, Averaging.tail(steps + warm, warm + start - 1), Product.AVERAGE);
    }

    /** The Gaussian of the models that SWA collects. */
    private static Recipe swag(String name, Schedule swa) {
        if (swa.collections().length < 3) {
            throw new IllegalArgumentException("--swa-cycle leaves SWAG " + swa.collections().length
                    + " models to collect, and it needs at least 3: shorten it, or lower --swa-start");
        }
        return new Recipe(name, 1, swa, Averaging.none(swa.steps()), Product.SAMPLES);
    }

    /**
     * The second and third phase of stochastic weight averaging in parallel (Gupta et al. 2020, arXiv 2001.02312): one trunk,
     * then workers with an order of samples each, which share the rest of the budget, averaged. It is not the paper's method as a
     * whole: there the trunk is trained in large batches, here in those of all other methods.
     */
    private static Recipe swap(String name, Settings s, int steps, int warm) {
        int left = steps - start(s.swaStart(), steps);
        int each = left / s.family().workers();
        if (each < 1) {
            throw new IllegalArgumentException("--swap-workers " + s.family().workers() + " share " + left
                    + " steps: lower --swa-start, or name fewer");
        }
        // What cannot be shared evenly goes to the trunk, so that the whole budget is spent.
        int trunk = steps - each * s.family().workers();
        Schedule shared = Schedule.swaPaper(trunk, s.lr(), s.swaLr(), trunk, trunk)
                .collecting()
                .warmUp(warm);
        Schedule worker = Schedule.linear(each, s.swaLr(), s.swaLow()).collecting(each - 1);
        return new Recipe(name, s.family().workers(), worker, Averaging.none(each), Product.MEAN, shared);
    }

    private static Recipe members(String name, int runs, Schedule schedule) {
        return new Recipe(name, runs, schedule, Averaging.none(schedule.steps()), Product.MEMBERS);
    }

    /** Whole cycles up to the budget's end; where steps are too few for them, one a step. */
    private static Schedule cyclic(Settings s, int steps) {
        double left = (1 - s.swaStart()) * (s.epochs() - s.warmUp());
        int cycles = parts("--swa-cycle", s.swaCycle(), left, 1, "--swa-start");
        int start = start(s.swaStart(), steps);
        int room = room("--swa-start", s.swaStart(), steps, start, 1);
        return Schedule.swaCyclic(steps, s.lr(), s.swaLr(), s.swaLow(), start, (double) room / Math.min(cycles, room));
    }

    /**
     * Triangles up to the budget's end, which comes with the last model where that is half a triangle after a whole one. Where
     * steps are too few for them, fewer: half a triangle takes two steps, for in one its model would be made at the highest rate.
     */
    private static Schedule fge(Settings s, int steps) {
        double left = (1 - s.fgeStart()) * (s.epochs() - s.warmUp());
        int halves = parts("--cycle", s.fgeCycle(), left, 2, "--fge-start");
        int start = start(s.fgeStart(), steps);
        int room = room("--fge-start", s.fgeStart(), steps, start, 2);
        if (halves > room / 2) halves = room / 2 - 1 | 1;
        return Schedule.fge(steps, s.lr(), steps, start, s.fgeHigh(), s.fgeLow(), 2.0 * room / halves);
    }

    private static int room(String flag, double fraction, int steps, int start, int least) {
        if (steps - start >= least) return steps - start;
        throw new IllegalArgumentException(flag + " " + fraction + " leaves " + (steps - start) + " of " + steps
                + " steps, and at least " + least + " are needed: lower it, or raise --epochs");
    }

    /**
     * How many parts fill the {@code left} epochs, each a {@code per}th of a {@code cycle}; a remainder would be trained for
     * nothing.
     *
     * @param per parts of a cycle that may stand alone at the end: 2 allows half a cycle
     */
    private static int parts(String flag, double cycle, double left, int per, String start) {
        double exact = per * left / cycle;
        long whole = Math.round(exact);
        if (whole > Schedule.MOST_STEPS) {
            throw new IllegalArgumentException(
                    flag + " " + number(cycle) + " is less than one step of any run: name a longer one");
        }
        if (whole < 1 || Math.abs(exact - whole) > 1e-6 * whole) {
            // Half a cycle at the end is the better end: it comes with a model.
            double near = per * left / Math.max(1, per == 2 ? whole - 1 | 1 : whole);
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "%s %s does not divide the %s epochs that follow %s; %s would",
                    flag,
                    number(cycle),
                    number(left),
                    start,
                    number(near)));
        }
        return (int) whole;
    }

    private static String number(double epochs) {
        if (Math.abs(epochs) < 1e-4 && epochs != 0) return String.format(Locale.ROOT, "%.3g", epochs);
        return new BigDecimal(epochs)
                .round(new MathContext(6))
                .stripTrailingZeros()
                .toPlainString();
    }

    private static int steps(String flag, double epochs, int stepsPerEpoch) {
        long steps = Math.round(epochs * stepsPerEpoch);
        if (steps < 1) {
            throw new IllegalArgumentException(flag + " " + number(epochs) + " is less than one step, and an epoch has "
                    + stepsPerEpoch + ": train longer, name more, or take a smaller --batch-size");
        }
        if (steps > Schedule.MOST_STEPS) {
            throw new IllegalArgumentException(
                    flag + " " + number(epochs) + " is " + steps + " steps; a run has at most " + Schedule.MOST_STEPS
                            + ": name fewer, or take a larger --batch-size");
        }
        return (int) steps;
    }

    /** The end of every epoch, and that of the run: the newest weights are among the last few whatever the budget. */
    private static int[] epochEnds(int steps, int stepsPerEpoch) {
        int epochs = (steps - 1) / stepsPerEpoch + 1;
        return IntStream.rangeClosed(1, epochs)
                .map(e -> (int) Math.min(steps, (long) e * stepsPerEpoch) - 1)
                .toArray();
    }

    /** Restarts of the rate to a high value before the model collected after {@code step}: only snapshots have any. */
    public int restarts(int step) {
        if (!name.equals("snapshot")) return 0;
        return (int) Arrays.stream(schedule.collections()).filter(s -> s < step).count();
    }

    /** Training runs: the trunk counts as one. */
    public int parts() {
        return runs + (trunk == null ? 0 : 1);
    }

    /** Whether part {@code part} is the trunk, whose end all others begin with. */
    public boolean isTrunk(int part) {
        return trunk != null && part == 0;
    }

    /** What one net goes through from its first weights on. */
    public Schedule path() {
        return trunk == null ? schedule : trunk.then(schedule);
    }

    /** Updates of all parts together. */
    public long totalSteps() {
        return (long) runs * schedule.steps() + (trunk == null ? 0 : trunk.steps());
    }

    /** Whether both would train the very same weights, step by step, so that one run can serve them. */
    public boolean sameTraining(Recipe other) {
        return runs == other.runs
                && trunk == null
                && other.trunk == null
                && Arrays.equals(schedule.lr(), other.schedule.lr());
    }
}
