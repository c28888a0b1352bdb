package io.basin.device;

/**
 * Batch normalisation, which can also measure the population's statistics of its input.
 *
 * <p>The published code of SWA and torch.optim.swa_utils average per-batch variances when they refresh the statistics of an
 * averaged model, unbiased ones; fvcore pools the population's, but in one pass, in which each layer is fed by batches that
 * were normalised by themselves. Merging counts, means and sums of squared deviations, layer by layer, gives mean = E[x] and var = E[(x - mean)^2] over all samples, whatever
 * the batch size and however ragged the last batch.
 */
public interface Norm extends Op {
    /** Forgets what was measured. */
    void reset();

    /**
     * Merges the statistics of the first {@code rows} samples now lying in the input.
     *
     * @param rows 1 to the plan's batch size
     */
    void measure(int rows);

    /** Makes the statistics measured last the state, so that forward normalises this batch by itself, as training does. */
    void adopt();

    /** Writes the measured mean and biased variance into the state that this plan's evaluation reads. */
    void commit();
}
