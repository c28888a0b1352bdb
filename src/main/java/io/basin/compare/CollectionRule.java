package io.basin.compare;

import io.basin.train.Method;
import io.basin.train.Settings;
import java.util.Locale;
import java.util.function.IntToDoubleFunction;

/**
 * What a method says of the steps after which it collects models, from the settings alone: the schedule that it checks is not
 * asked.
 *
 * @param text for people
 */
record CollectionRule(String text, Kind kind, double rate, int steps, int period, int offset) {
    static final String WHAT = "models are collected at the promised rate and phase";

    /** What is promised. */
    enum Kind {
        /** The rate of the update is {@code rate}, and it is not before step {@code offset}. */
        RATE,
        /** The rate jumps up to {@code rate} right after, or the run ends, and no earlier rate of the cycle was lower. */
        CYCLE_END,
        /** The last step of the run. */
        END,
        /** {@code step + 1 - offset} is a multiple of {@code period}. */
        PERIOD
    }

    static CollectionRule of(Method recipe, Settings s, int stepsPerEpoch) {
        int steps = recipe.schedule().steps();
        int warm = (int) Math.round(s.warmUp() * stepsPerEpoch);
        return switch (recipe.name()) {
            case "swa", "swag" -> {
                int start = (int) Math.round(s.swaStart() * (steps - warm));
                yield new CollectionRule(
                        "all at rate " + s.swaLr() + " from --swa-start on",
                        Kind.RATE,
                        s.swaLr(),
                        steps,
                        0,
                        warm + Math.max(1, start) - 1);
            }
            case "swa-cyclic" -> rate(s.swaLow(), steps);
            case "fge" -> rate(s.fgeLow(), steps);
            case "snapshot" ->
                new CollectionRule("each where its cosine ends", Kind.CYCLE_END, s.snapshotLr(), steps, 0, warm);
            case "lawa" -> new CollectionRule("each where an epoch ends", Kind.PERIOD, 0, steps, stepsPerEpoch, warm);
            default -> new CollectionRule("each where its run ends", Kind.END, 0, steps, 0, 0);
        };
    }

    private static CollectionRule rate(double rate, int steps) {
        return new CollectionRule("all at rate " + rate, Kind.RATE, rate, steps, 0, 0);
    }

    /** How the collection after {@code step} breaks the promise, given the device's rates; empty where it keeps it. */
    String broken(int step, IntToDoubleFunction rates) {
        boolean kept = switch (kind) {
            case RATE -> step >= offset && close(rates.applyAsDouble(step), rate);
            case END -> step == steps - 1;
            case PERIOD -> (step + 1 - offset) % period == 0 || step == steps - 1;
            case CYCLE_END -> endsCycle(step, rates);
        };
        if (kept) return "";
        return String.format(
                Locale.ROOT, "step %d of %d at rate %.4g; promised: %s", step, steps, rates.applyAsDouble(step), text);
    }

    private boolean endsCycle(int step, IntToDoubleFunction rates) {
        boolean last = step == steps - 1 || close(rates.applyAsDouble(step + 1), rate);
        boolean falling = step == 0 || step <= offset || rates.applyAsDouble(step) <= rates.applyAsDouble(step - 1);
        return last && falling && (steps < 8 || rates.applyAsDouble(step) < rate / 2);
    }

    /** The device keeps rates in float32. */
    private static boolean close(double a, double b) {
        return Math.abs(a - b) <= 1e-6 * b;
    }
}
