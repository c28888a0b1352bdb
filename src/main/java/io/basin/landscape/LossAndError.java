package io.basin.landscape;

import io.basin.Api;
import io.basin.device.EpochMetrics;

/**
 * What is measured at a point of weight space.
 *
 * @param trainLoss mean cross-entropy, nats
 * @param trainError share of wrong answers, in [0, 1]
 */
@Api
public record LossAndError(double trainLoss, double trainError, double testLoss, double testError) {
    static LossAndError of(EpochMetrics train, EpochMetrics test) {
        return new LossAndError(train.meanLoss(), 1 - train.accuracy(), test.meanLoss(), 1 - test.accuracy());
    }
}
