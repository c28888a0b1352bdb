package io.basin.landscape;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.device.EpochMetrics;

/**
 * What is measured at a point of weight space.
 *
 * @param trainLoss mean cross-entropy, nats
 * @param trainError share of wrong answers, in [0, 1]
 */
public record LossAndError(double trainLoss, double trainError, double testLoss, double testError) {
    static LossAndError of(EpochMetrics train, EpochMetrics test) {
        return new LossAndError(train.meanLoss(), 1 - train.accuracy(), test.meanLoss(), 1 - test.accuracy());
    }

    static LossAndError of(JsonNode n) {
        return new LossAndError(
                number(n, "trainLoss"), number(n, "trainError"), number(n, "testLoss"), number(n, "testError"));
    }

    /** Losses far from any optimum may be infinite or NaN, which JSON holds as text. */
    private static double number(JsonNode n, String name) {
        return Double.parseDouble(n.path(name).asText());
    }
}
