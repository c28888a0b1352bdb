package io.basin.landscape;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.device.EpochMetrics;

/**
 * Measurements at a point of weight space.
 *
 * @param trainLoss mean cross-entropy, nats
 * @param trainError share of wrong answers, in [0, 1]
 * @param spread standard deviation of the loss over training samples, nats; null where it was not measured, as for targets
 */
@Api
public record LossAndError(
        double trainLoss,
        double trainError,
        double testLoss,
        double testError,
        @Nullable Double spread) {
    /** Without the spread. */
    public LossAndError(double trainLoss, double trainError, double testLoss, double testError) {
        this(trainLoss, trainError, testLoss, testError, null);
    }

    static LossAndError of(EpochMetrics train, EpochMetrics test, @Nullable Double spread) {
        return new LossAndError(train.meanLoss(), 1 - train.accuracy(), test.meanLoss(), 1 - test.accuracy(), spread);
    }
}
