package io.basin.compare;

import io.basin.data.Dataset;
import io.basin.train.Evaluator;

/**
 * How a comparison is run, without influence on what is trained.
 *
 * @param checkpointEvery steps between checkpoints apart from the ends of epochs; 0 for none between
 * @param refresh {@code exact}, {@code single}, or {@code auto}: exact up to {@link #MANY_NORMS} batch norms, those of all models
 *     that one result needs together
 * @param plainRefresh measure batch-norm statistics on samples as they are, not augmented as in training
 * @param corruptions measure on corrupted test images too
 * @param outside images of no class, from which test images are told by their confidence; null for none
 * @param keepsSamples write SWAG's samples as weights files too
 */
public record Options(
        int checkpointEvery,
        String refresh,
        boolean plainRefresh,
        boolean corruptions,
        Dataset outside,
        boolean keepsSamples) {
    /** Where exact statistics, half a pass over the data per batch norm, begin to cost more than the training is worth. */
    public static final int MANY_NORMS = 24;

    public Options {
        if (checkpointEvery < 0) {
            throw new IllegalArgumentException("`checkpointEvery` must not be negative, got " + checkpointEvery);
        }
        if (!refresh.equals("auto") && !refresh.equals("exact") && !refresh.equals("single")) {
            throw new IllegalArgumentException("`refresh` is auto, exact or single, got '" + refresh + "'");
        }
    }

    /** With the test set only. */
    public Options(int checkpointEvery, String refresh, boolean plainRefresh) {
        this(checkpointEvery, refresh, plainRefresh, false, null, false);
    }

    /** The same, probing beyond the test set too. */
    public Options probing(boolean corrupted, Dataset noClass) {
        return new Options(checkpointEvery, refresh, plainRefresh, corrupted, noClass, keepsSamples);
    }

    /** The same, keeping SWAG's samples. */
    public Options keepingSamples() {
        return new Options(checkpointEvery, refresh, plainRefresh, corruptions, outside, true);
    }

    /** How {@code evaluator} measures batch-norm statistics: what {@code auto} means for its net. */
    public Evaluator.Refresh refresh(Evaluator evaluator) {
        return refresh(evaluator, 1);
    }

    /** The same for one of {@code models} that a single result needs. */
    public Evaluator.Refresh refresh(Evaluator evaluator, int models) {
        return switch (refresh) {
            case "exact" -> Evaluator.Refresh.EXACT;
            case "single" -> Evaluator.Refresh.SINGLE;
            default ->
                (long) models * evaluator.refreshPasses(Evaluator.Refresh.EXACT) <= MANY_NORMS
                        ? Evaluator.Refresh.EXACT
                        : Evaluator.Refresh.SINGLE;
        };
    }
}
