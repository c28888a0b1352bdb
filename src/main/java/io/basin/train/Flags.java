package io.basin.train;

/** Checks of schedule arguments; each failure names the command line's flag and what was given. */
final class Flags {
    private Flags() {}

    static void steps(String flag, int steps) {
        if (steps < 1) {
            throw new IllegalArgumentException(flag + " must give at least one step, got " + steps);
        }
    }

    static void rate(String flag, double rate) {
        if (!(rate > 0 && rate < Double.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(flag + " must be positive and finite, got " + rate);
        }
    }

    /** The rates between which a cycle moves. */
    static void descending(double a1, double a2) {
        rate("--lr-1", a1);
        rate("--lr-2", a2);
        if (a2 > a1) {
            throw new IllegalArgumentException("--lr-2 must not exceed --lr-1 (" + a1 + "), got " + a2);
        }
    }

    static void within(String flag, int value, int low, int high) {
        if (value < low || value > high) {
            throw new IllegalArgumentException(
                    flag + " must lie between " + low + " and " + high + " steps, got " + value);
        }
    }

    static void rising(String flag, int[] at, int steps) {
        int last = -1;
        for (int step : at) {
            if (step <= last || step >= steps) {
                throw new IllegalArgumentException(
                        flag + " must rise strictly between 0 and " + (steps - 1) + ", got " + step + " after " + last);
            }
            last = step;
        }
    }
}
