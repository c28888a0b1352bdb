package io.basin.average;

/**
 * How a step is taken in.
 *
 * @param name with all its settings: a saved average goes on under the rule that it was made by, and no other
 * @param alpha of a step; null where a window's slots are averaged when asked for
 * @param window slots that are kept: of weights, or of deviations where there are moments
 * @param moments whether the variance is kept
 */
record Rule(String name, Alpha alpha, int window, boolean moments) {
    /** The weight of the step numbered {@code step}, after {@code collected} steps were taken in. */
    interface Alpha {
        double of(long step, long collected);
    }
}
