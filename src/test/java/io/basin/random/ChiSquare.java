package io.basin.random;

/** Pearson's test of equal frequencies, at five standard deviations of the statistic: seeds are fixed, so it never flickers. */
final class ChiSquare {
    private ChiSquare() {}

    static boolean plausible(int[] counts) {
        long total = 0;
        for (int count : counts) {
            total += count;
        }
        double expected = (double) total / counts.length;
        double statistic = 0;
        for (int count : counts) {
            statistic += (count - expected) * (count - expected) / expected;
        }
        double freedom = counts.length - 1.0;
        // Both tails: frequencies that are too even are as wrong as frequencies that are too uneven.
        return Math.abs(statistic - freedom) < 5 * Math.sqrt(2 * freedom);
    }
}
