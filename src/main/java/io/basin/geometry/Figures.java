package io.basin.geometry;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.device.Control;

/**
 * What is measured at a point of weight space.
 *
 * @param trainLoss mean cross-entropy, nats
 * @param trainError share of wrong answers, in [0, 1]
 */
public record Figures(double trainLoss, double trainError, double testLoss, double testError) {
    static Figures of(Control.Totals train, Control.Totals test) {
        return new Figures(train.meanLoss(), 1 - train.accuracy(), test.meanLoss(), 1 - test.accuracy());
    }

    static Figures of(JsonNode n) {
        return new Figures(
                number(n, "trainLoss"), number(n, "trainError"), number(n, "testLoss"), number(n, "testError"));
    }

    /** Losses far from any optimum may be infinite or NaN, which JSON holds as text. */
    private static double number(JsonNode n, String name) {
        return Double.parseDouble(n.path(name).asText());
    }
}
