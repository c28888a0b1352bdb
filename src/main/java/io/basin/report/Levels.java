package io.basin.report;

/**
 * Contour levels that grow from the lowest value on: low + (high - low) r^(k - bands), so that the basin's floor, where
 * everything interesting happens, is not a single colour beside walls a thousand times as high.
 *
 * <p>As in the published code of Garipov et al. 2018. Values that are not finite lie above every level.
 */
final class Levels {
    /** First step over the whole range. */
    private static final double FINEST = 1.0 / 256;

    private Levels() {}

    /** Lower edges of all bands but the lowest one, which reaches down to {@code min}. */
    static double[] logarithmic(double min, double max, int bands) {
        double[] levels = new double[bands];
        for (int k = 0; k < bands; k++) {
            levels[k] = min + (max - min) * Math.pow(FINEST, (double) (bands - k) / bands);
        }
        return levels;
    }
}
