package io.basin.train;

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
 * @param runs how many times the schedule is run, each from its own initialisation
 * @param product what predicts: the last weights, the running average, or all collected models together
 */
public record Recipe(String name, int runs, Schedule schedule, Averaging averaging, Product product) {
    /** What a method's predictions come from. */
    public enum Product {
        LAST,
        AVERAGE,
        MEMBERS
    }

    /** Every name that {@link #of} knows. */
    public static final List<String> NAMES =
            List.of("sgd", "ema", "swa", "swa-cyclic", "lawa", "tail", "snapshot", "fge", "independent");

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
        return switch (name) {
            case "sgd" -> new Recipe(name, 1, sgd.warmUp(warm), Averaging.none(steps), Product.LAST);
            case "ema" -> new Recipe(name, 1, sgd.warmUp(warm), ema(s, steps), Product.AVERAGE);
            case "swa" -> swa(name, constant(s, rest, stepsPerEpoch).warmUp(warm));
            case "swa-cyclic" -> swa(name, cyclic(s, rest, stepsPerEpoch).warmUp(warm));
            case "tail" -> tail(name, s, rest, warm);
            case "lawa" ->
                lawa(name, s, sgd.collecting(epochEnds(rest, stepsPerEpoch)).warmUp(warm));
            case "snapshot" ->
                members(
                        name,
                        1,
                        Schedule.snapshotCosine(rest, s.snapshotLr(), s.snapshots())
                                .warmUp(warm));
            case "fge" -> members(name, 1, fge(s, rest, stepsPerEpoch).warmUp(warm));
            case "independent" -> members(name, s.runs(), one(s, steps / s.runs(), warm));
            default ->
                throw new IllegalArgumentException(
                        "--method(s): unknown method '" + name + "'; known: " + String.join(", ", NAMES));
        };
    }

    private static Averaging ema(Settings s, int steps) {
        return Averaging.ema(steps, s.emaDecay(), true, Averaging.everyStep(steps, 0));
    }

    private static int swaStart(Settings s, int steps) {
        return Math.max(1, (int) Math.round(s.swaStart() * steps));
    }

    /** Collections at whole parts of what follows the start, rounded to steps, the last one at the run's end. */
    private static Schedule constant(Settings s, int steps, int stepsPerEpoch) {
        int start = swaStart(s, steps);
        double left = (1 - s.swaStart()) * steps / stepsPerEpoch;
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
        int start = swaStart(s, steps);
        Schedule schedule = Schedule.swaPaper(steps, s.lr(), s.swaLr(), start, 1)
                .warmUp(warm)
                .collecting();
        return new Recipe(name, 1, schedule, Averaging.tail(steps + warm, warm + start - 1), Product.AVERAGE);
    }

    private static Recipe members(String name, int runs, Schedule schedule) {
        return new Recipe(name, runs, schedule, Averaging.none(schedule.steps()), Product.MEMBERS);
    }

    /** Whole cycles up to the budget's end; rounding to steps moves the start by less than a step a cycle. */
    private static Schedule cyclic(Settings s, int steps, int stepsPerEpoch) {
        double left = (1 - s.swaStart()) * steps / stepsPerEpoch;
        int cycles = parts("--swa-cycle", s.swaCycle(), left, 1, "--swa-start");
        int cycle = steps("--swa-cycle", s.swaCycle(), stepsPerEpoch);
        int start = steps - cycles * cycle;
        return Schedule.swaCyclic(steps, s.lr(), s.swaLr(), s.swaLow(), start, cycle);
    }

    /** Triangles up to the budget's end, where half of one may be left off: it would follow the last collection. */
    private static Schedule fge(Settings s, int steps, int stepsPerEpoch) {
        double left = (1 - s.fgeStart()) * steps / stepsPerEpoch;
        parts("--cycle", s.fgeCycle(), left, 2, "--fge-start");
        int cycle = steps("--cycle", s.fgeCycle(), stepsPerEpoch);
        cycle += cycle % 2;
        int start = Math.max(1, (int) Math.round(s.fgeStart() * steps));
        return Schedule.fge(steps, s.lr(), steps, start, s.fgeHigh(), s.fgeLow(), cycle);
    }

    /**
     * How many cycles of {@code cycle} epochs fill the {@code left} ones; a remainder would be trained for nothing.
     *
     * @param per parts of a cycle that may stand alone at the end: 2 allows half a cycle
     */
    private static int parts(String flag, double cycle, double left, int per, String start) {
        double exact = per * left / cycle;
        long whole = Math.round(exact);
        if (whole < 1 || Math.abs(exact - whole) > 1e-6 * whole) {
            double near = per * left / Math.max(per, whole);
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "%s %s does not divide the %s epochs that follow %s; %s would",
                    flag,
                    number(cycle),
                    number(left),
                    start,
                    number(near)));
        }
        return Math.toIntExact(whole / per);
    }

    private static String number(double epochs) {
        return new BigDecimal(epochs)
                .round(new MathContext(6))
                .stripTrailingZeros()
                .toPlainString();
    }

    private static int steps(String flag, double epochs, int stepsPerEpoch) {
        long steps = Math.round(epochs * stepsPerEpoch);
        if (steps < 1 || steps > Integer.MAX_VALUE) {
            throw new IllegalArgumentException(
                    flag + " " + epochs + " is " + steps + " steps of which an epoch has " + stepsPerEpoch);
        }
        return (int) steps;
    }

    private static int[] epochEnds(int steps, int stepsPerEpoch) {
        int whole = Math.max(1, steps / stepsPerEpoch);
        int[] ends = new int[whole];
        for (int e = 1; e <= whole; e++) ends[e - 1] = Math.min(steps, e * stepsPerEpoch) - 1;
        return ends;
    }

    /** Whether both would train the very same weights, step by step, so that one run can serve them. */
    public boolean sameTraining(Recipe other) {
        return runs == other.runs && Arrays.equals(schedule.lr(), other.schedule.lr());
    }
}
