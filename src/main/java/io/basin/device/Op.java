package io.basin.device;

import io.basin.Api;

/** One planned operation: its algorithm and layouts are fixed, its memory is declared. */
@Api
public interface Op extends AutoCloseable {
    String name();

    Tensor output();

    /** Learns where its slots lie. Called once its arenas exist, and again when a plan is given other weights. */
    void bind(Binding binding);

    void forward();

    /** Reads the output's gradient and overwrites those of inputs and parameters; see also {@link Arena#NARROW_GRADS}. */
    void backward();

    @Override
    void close();

    /** The operation that feeds a plan: output is the images, beside them the labels. */
    interface Batch extends Op {
        /**
         * int32, (N); -1 marks rows past the end of the set. Of a mixed batch (3, N): each row's label, that of the sample it is mixed
         * with, and the bits of the float32 share of the first.
         */
        Slot labels();

        /**
         * Brings the samples of {@code step} to the device, and begins to bring those of the next steps, where they stream from the host. Called
         * before the step's forward, and not while work is recorded.
         */
        default void supply(long step) {}
    }

    /**
     * Batch normalisation, which can also measure the population's statistics of its input.
     *
     * <p>The published code of SWA and torch.optim.swa_utils average per-batch variances when they refresh the statistics of an
     * averaged model, unbiased ones; fvcore pools the population's, but in one pass, in which each layer is fed by batches that
     * were normalised by themselves. Merging counts, means and sums of squared deviations, layer by layer, gives mean = E[x] and var = E[(x - mean)^2] over all samples, whatever
     * the batch size and however ragged the last batch.
     */
    interface BatchNorm extends Op {
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
}
