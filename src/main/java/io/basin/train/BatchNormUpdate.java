package io.basin.train;

import io.basin.Api;
import io.basin.data.Progress;
import io.basin.device.Weights;
import java.util.List;

/**
 * How batch-norm statistics of weights that were never run forward are measured.
 *
 * @param how {@code exact}, {@code single}, or {@code auto}: exact up to {@link #MANY_NORMS} batch norms, those of all models
 *     that one result needs together; {@code keep} around one net of a landscape, whose own statistics stay
 * @param plain on samples as they are, not augmented as in training
 */
@Api
public record BatchNormUpdate(String how, boolean plain) {
    /** With more batch norms, exact statistics (half a pass over the data for each) cost more than the training is worth. */
    public static final int MANY_NORMS = 24;

    /** Exact while that is cheap. */
    public static final BatchNormUpdate AUTO = new BatchNormUpdate("auto", false);

    /** Right for every net, slow for deep ones. */
    public static final BatchNormUpdate EXACT = new BatchNormUpdate("exact", false);

    public BatchNormUpdate {
        if (!List.of("auto", "exact", "single", "keep").contains(how)) {
            throw new IllegalArgumentException("`refresh` is auto, exact, single or keep, got '" + how + "'");
        }
    }

    /** Whether the statistics of one net are taken for all weights around it, as Li et al. 2018 do. */
    public boolean keeps() {
        return how.equals("keep");
    }

    /** How {@code evaluator} measures them, with {@code auto} resolved for its net. */
    public Evaluator.Refresh of(Evaluator evaluator) {
        return of(evaluator, 1);
    }

    /** The same for one of {@code models} that a single result needs. */
    public Evaluator.Refresh of(Evaluator evaluator, int models) {
        return of((long) models * evaluator.refreshPasses(Evaluator.Refresh.EXACT));
    }

    /** For so many batch norms. */
    public Evaluator.Refresh of(long norms) {
        if (keeps()) {
            throw new IllegalArgumentException(
                    "`refresh` keep is for a plane or rays around one net; elsewhere weights need statistics of their own");
        }
        boolean exact = how.equals("auto") ? norms <= MANY_NORMS : how.equals("exact");
        return exact ? Evaluator.Refresh.EXACT : Evaluator.Refresh.SINGLE;
    }

    /** Measures the statistics of {@code weights} over the evaluator's samples. */
    void measure(Evaluator evaluator, Weights weights, String task, Progress progress) {
        Evaluator.Refresh refresh = of(evaluator);
        long batches = (long) evaluator.refreshPasses(refresh) * evaluator.batches();
        if (batches == 0) return;
        try (Progress.Counter counter = progress.start(task, batches, "batches")) {
            evaluator.refresh(weights, refresh, pass -> counter.step(1));
        }
    }
}
