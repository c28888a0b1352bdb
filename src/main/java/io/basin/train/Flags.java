package io.basin.train;

/** Checks of schedule arguments; each failure names the command line's flag and what was given. */
final class Flags {
    private Flags() {}

    static void steps(String flag, int steps) {
        if (steps < 1) {
            throw new IllegalArgumentException(flag + " must give at least one step, got " + steps);
        }
        if (steps > Schedule.MOST_STEPS) {
            throw new IllegalArgumentException(
                    flag + " gives " + steps + " steps; a run has at most " + Schedule.MOST_STEPS);
        }
    }

    static void rate(String flag, double rate) {
        // As the device computes with it: what float32 cannot hold makes weights infinite in one step.
        float used = (float) rate;
        if (!(used > 0 && used < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                    flag + " must be positive and finite, got " + rate + ", in float32 " + used);
        }
    }

    /** The rates between which a cycle moves, {@code low} not above {@code high}. */
    static void descending(String highFlag, double high, String lowFlag, double low) {
        rate(highFlag, high);
        rate(lowFlag, low);
        if (low > high) {
            throw new IllegalArgumentException(
                    lowFlag + " must not exceed " + highFlag + " (" + high + "), got " + low);
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
