package io.basin.text;

import io.basin.Nullable;
import java.util.function.Supplier;

/**
 * Checks of parameters. A message names the parameter between back-quotes, {@code `swa.lr` must be positive ...}: a
 * caller with another name for it, such as a flag of the command line, replaces that.
 */
public final class Require {
    private Require() {}

    /** The argument called {@code name}; refuses null. */
    public static <T> T given(String name, @Nullable T value) {
        if (value == null) throw new NullPointerException("`" + name + "` must not be null");
        return value;
    }

    /** Calls {@code work}; its refusals name the parameter {@code name}. */
    public static <T> T naming(String name, Supplier<T> work) {
        try {
            return work.get();
        } catch (IllegalArgumentException e) {
            throw new IllegalArgumentException("`" + name + "`: " + e.getMessage(), e);
        }
    }

    /** A learning rate as devices use it: one that float32 cannot hold makes weights infinite in one step. */
    public static void rate(String name, double rate) {
        positive(name, rate);
        float used = (float) rate;
        if (!(used > 0 && used < Float.POSITIVE_INFINITY)) {
            throw bad(name, "must be positive and finite, got " + rate + ", in float32 " + used);
        }
    }

    public static void positive(String name, double value) {
        if (!(value > 0 && value < Double.POSITIVE_INFINITY)) {
            throw bad(name, "must be positive and finite, got " + value);
        }
    }

    /** A limit, which infinity lifts. */
    public static void limit(String name, double value) {
        if (!(value > 0)) throw bad(name, "must be above 0, and infinite for no limit, got " + value);
    }

    /** @throws IllegalArgumentException naming it where it is below 0 */
    public static void notNegative(String name, long value) {
        if (value < 0) throw bad(name, "must not be negative, got " + value);
    }

    public static void notNegative(String name, double value) {
        if (!(value >= 0 && value < Double.POSITIVE_INFINITY)) {
            throw bad(name, "must not be negative, and finite, got " + value);
        }
    }

    /** From 0 to below 1. */
    public static void belowOne(String name, double value) {
        if (!(value >= 0 && value < 1)) throw bad(name, "must lie in [0, 1), got " + value);
    }

    /** A part of the budget, neither nothing nor all. */
    public static void fraction(String name, double value) {
        if (!(value > 0 && value < 1)) throw bad(name, "is a fraction of the budget between 0 and 1, got " + value);
    }

    public static void atLeast(String name, int value, int low) {
        if (value < low) throw bad(name, "must be at least " + low + ", got " + value);
    }

    public static void steps(String name, int value, int low, int high) {
        if (value < low || value > high) {
            throw bad(name, "must lie between " + low + " and " + high + " steps, got " + value);
        }
    }

    /** The rates between which a cycle moves, {@code low} not above {@code high}. */
    public static void descending(String highName, double high, String lowName, double low) {
        rate(highName, high);
        rate(lowName, low);
        if (low > high) throw bad(lowName, "must not exceed `" + highName + "` (" + high + "), got " + low);
    }

    /** Steps of a run of {@code steps}, none twice. */
    public static void rising(String name, int[] at, int steps) {
        int last = -1;
        for (int step : given(name, at)) {
            if (step <= last || step >= steps) {
                throw bad(name, "must rise strictly between 0 and " + (steps - 1) + ", got " + step + " after " + last);
            }
            last = step;
        }
    }

    /**
     * A number as people and programs write it, for Java's parsers, which take hexadecimals, suffixes and words too.
     *
     * @return {@code text} itself
     * @throws NumberFormatException where it holds anything but digits, signs, a point and an exponent
     */
    public static String decimal(String text) {
        if (text.chars().allMatch(c -> "0123456789+-.eE".indexOf(c) >= 0)) return text;
        throw new NumberFormatException(text);
    }

    private static IllegalArgumentException bad(String name, String what) {
        return new IllegalArgumentException("`" + name + "` " + what);
    }
}
