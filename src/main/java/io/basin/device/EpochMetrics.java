package io.basin.device;

import io.basin.Api;

/**
 * The device's counts since the last {@link RunState#start(long)}.
 *
 * @param loss sum over samples, in nats
 * @param broken the first step whose loss was not finite, or -1
 */
@Api
public record EpochMetrics(long step, double loss, long hits, long seen, long broken) {
    public double meanLoss() {
        return loss / seen;
    }

    public double accuracy() {
        return (double) hits / seen;
    }

    @Override
    public String toString() {
        return "step " + step + ": mean loss " + meanLoss() + ", accuracy " + accuracy() + " over " + seen + " samples"
                + (broken < 0 ? "" : "; the loss of step " + broken + " was not finite");
    }
}
