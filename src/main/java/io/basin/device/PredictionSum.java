package io.basin.device;

import io.basin.Api;

/**
 * The sum of an ensemble's predictions for the samples of one image set, on the device: its size depends on samples and classes,
 * not on the number of members. Sums are float64 in the order of the calls, so every device has the same bits
 * for the same probabilities.
 */
@Api
public interface PredictionSum extends AutoCloseable {
    /**
     * Adds a member's probabilities of the samples {@code first} to {@code first + rows - 1}, times {@code weight}, to their
     * sums, and to their votes one for its likeliest class (the first of equals).
     *
     * @param offset in bytes, where {@code rows} times classes plain float32 begin
     */
    void add(double weight, Memory from, long offset, int first, int rows);

    /** All sums, (samples, classes); waits. */
    double[] sums();

    /** Each sample's class with the largest sum, the first of equals; waits. */
    int[] likeliest();

    /** Each sample's class with most votes, of several the one with the larger sum, then the first; waits. */
    int[] elected();

    @Override
    void close();
}
