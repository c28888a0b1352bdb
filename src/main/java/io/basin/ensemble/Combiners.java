package io.basin.ensemble;

/** Predictions by each way of combining members. */
public final class Combiners {
    private Combiners() {}

    /**
     * Whether {@code combiner} predicts with probabilities. Shares of votes and ridge's clipped scores are none: a share of 0
     * would cost 27.6 nats by a floor of our own choice, so neither a likelihood nor a calibration error of them is reported.
     *
     * @param combiner empty for a single model
     */
    public static boolean givesProbabilities(String combiner) {
        return !combiner.equals("vote") && !combiner.equals("ridge");
    }
}
