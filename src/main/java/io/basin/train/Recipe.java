package io.basin.train;

import java.util.Arrays;
import java.util.List;

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
        if (warm >= steps)
            throw new IllegalArgumentException("--warmup must be shorter than --epochs, got " + s.warmUp());
        int rest = steps - warm;
        int[] epochEnds = epochEnds(rest, stepsPerEpoch);
        Schedule sgd = Schedule.sgdPaper(rest, s.lr()).warmUp(warm);
        return switch (name) {
            case "sgd" -> new Recipe(name, 1, sgd, Averaging.none(steps), Product.LAST);
            case "ema" ->
                new Recipe(
                        name,
                        1,
                        sgd,
                        Averaging.ema(steps, s.emaDecay(), true, Averaging.everyStep(steps, 0)),
                        Product.AVERAGE);
            case "swa" -> {
                int start = Math.max(1, (int) Math.round(s.swaStart() * rest));
                int cycle = steps("--swa-cycle", s.swaCycle(), stepsPerEpoch);
                yield swa(
                        name,
                        Schedule.swaPaper(rest, s.lr(), s.swaLr(), start, cycle).warmUp(warm));
            }
            case "swa-cyclic" -> swa(name, cyclic(s, rest, stepsPerEpoch).warmUp(warm));
            case "lawa" -> {
                Schedule collecting =
                        Schedule.sgdPaper(rest, s.lr()).collecting(epochEnds).warmUp(warm);
                yield new Recipe(
                        name,
                        1,
                        collecting,
                        Averaging.lawa(steps, s.lawa(), collecting.collections()),
                        Product.AVERAGE);
            }
            case "tail" -> {
                int start = Math.max(1, (int) Math.round(s.swaStart() * rest));
                Schedule constant =
                        Schedule.swaPaper(rest, s.lr(), s.swaLr(), start, 1).warmUp(warm);
                yield new Recipe(name, 1, constant, Averaging.tail(steps, start + warm - 1), Product.AVERAGE);
            }
            case "snapshot" ->
                members(
                        name,
                        1,
                        Schedule.snapshotCosine(rest, s.snapshotLr(), s.snapshots())
                                .warmUp(warm));
            case "fge" -> members(name, 1, fge(s, rest, stepsPerEpoch).warmUp(warm));
            case "independent" -> {
                int each = steps / s.runs();
                if (each <= warm)
                    throw new IllegalArgumentException("--runs " + s.runs() + " leaves each net too few steps");
                Schedule one = Schedule.sgdPaper(each - warm, s.lr()).collecting(each - warm - 1);
                yield members(name, s.runs(), one.warmUp(warm));
            }
            default ->
                throw new IllegalArgumentException(
                        "--methods: unknown method '" + name + "'; known: " + String.join(", ", NAMES));
        };
    }

    private static Recipe swa(String name, Schedule schedule) {
        return new Recipe(name, 1, schedule, Averaging.swa(schedule.steps(), schedule.collections()), Product.AVERAGE);
    }

    private static Recipe members(String name, int runs, Schedule schedule) {
        return new Recipe(name, runs, schedule, Averaging.none(schedule.steps()), Product.MEMBERS);
    }

    /** Whole cycles at the end of the budget; the start moves to where they fit. */
    private static Schedule cyclic(Settings s, int steps, int stepsPerEpoch) {
        int cycle = steps("--swa-cycle", s.swaCycle(), stepsPerEpoch);
        int cycles = Math.max(1, (int) Math.round((1 - s.swaStart()) * steps / cycle));
        int start = steps - cycles * cycle;
        if (start < 1) {
            throw new IllegalArgumentException(
                    "--swa-cycle " + s.swaCycle() + " is too long for --epochs " + s.epochs());
        }
        return Schedule.swaCyclic(steps, s.lr(), s.swaLr(), s.swaLow(), start, cycle);
    }

    private static Schedule fge(Settings s, int steps, int stepsPerEpoch) {
        int cycle = steps("--cycle", s.fgeCycle(), stepsPerEpoch);
        cycle += cycle % 2;
        int start = Math.max(1, (int) Math.round(s.fgeStart() * steps));
        return Schedule.fge(steps, s.lr(), steps, start, s.fgeHigh(), s.fgeLow(), cycle);
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
