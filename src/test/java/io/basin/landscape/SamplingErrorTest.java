package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Standard errors by hand. */
class SamplingErrorTest {
    private static final LossAndError POINT = new LossAndError(0.5, 0.1, 0.6, 0.1, 0.9);

    @Test
    void anErrorRateIsOffAsABinomialShare() {
        SamplingError off = new SamplingError(900, 901, 900);
        assertEquals(0.01, off.testError(POINT), 1e-15, "sqrt(0.1 0.9 / 900)");
        assertEquals(1.0 / 900, off.testError(new LossAndError(0, 0, 0, 0)), "never below one image");
    }

    @Test
    void aMeanLossIsOffByItsSpreadAndNotAtAllWhereAllSamplesAreMeasured() {
        assertEquals(0.9 / 30 * Math.sqrt(2700.0 / 3599), new SamplingError(900, 3600, 1).trainLoss(POINT), 1e-15);
        assertEquals(0, new SamplingError(900, 900, 1).trainLoss(POINT));
        assertEquals(0, new SamplingError(900, 3600, 1).trainLoss(new LossAndError(1, 0, 0, 0)), "not measured");
    }

    @Test
    void bandsHold95Percent() {
        SamplingError off = new SamplingError(900, 900, 900);
        double[][] band = off.band(new LossAndError[] {POINT}, f -> 100 * f.testError(), f -> 100 * off.testError(f));
        assertArrayEquals(new double[] {10 - 1.96, 10 + 1.96}, new double[] {band[0][0], band[1][0]}, 1e-12);
    }

    @Test
    void theSentenceSaysHowManyImagesAndByHowMuch() {
        String some = new SamplingError(900, 3600, 900).sentence(POINT);
        assertTrue(some.contains("a test error on 900 images: \u00b11.96 points"), some);
        assertTrue(some.contains("on 900 of 3600 training images \u00b10.051 nats"), some);
        assertFalse(new SamplingError(900, 900, 900).sentence(POINT).contains("training"));
    }
}
