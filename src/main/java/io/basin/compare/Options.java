package io.basin.compare;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.Dataset;
import io.basin.text.Require;
import io.basin.train.BatchNormUpdate;

/**
 * How a comparison is run, without influence on what is trained.
 *
 * @param checkpointEvery steps between checkpoints apart from the ends of epochs; 0 for none between
 * @param update how batch-norm statistics of averages and samples are measured
 * @param corruptions measure on corrupted test images too
 * @param outside images of no class, from which test images are told by their confidence; null for none
 * @param keepsSamples write SWAG's samples as weights files too
 * @param keepsCheckpoints leave the checkpoints of what has ended: without them what is asked of it later takes training it again
 */
@Api
public record Options(
        int checkpointEvery,
        BatchNormUpdate update,
        boolean corruptions,
        @Nullable Dataset outside,
        boolean keepsSamples,
        boolean keepsCheckpoints) {
    public Options {
        Require.notNegative("checkpointEvery", checkpointEvery);
    }

    /** With the test set only. */
    public Options(int checkpointEvery, BatchNormUpdate update) {
        this(checkpointEvery, update, false, null, false, true);
    }

    /** The same, probing beyond the test set too. */
    public Options probing(boolean corrupted, @Nullable Dataset noClass) {
        return new Options(checkpointEvery, update, corrupted, noClass, keepsSamples, keepsCheckpoints);
    }

    /** The same, keeping SWAG's samples. */
    public Options keepingSamples() {
        return new Options(checkpointEvery, update, corruptions, outside, true, keepsCheckpoints);
    }

    /** The same, without the checkpoints of what has ended. */
    public Options droppingCheckpoints() {
        return new Options(checkpointEvery, update, corruptions, outside, keepsSamples, false);
    }
}
