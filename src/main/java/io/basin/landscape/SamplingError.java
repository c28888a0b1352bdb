package io.basin.landscape;

import io.basin.Api;
import io.basin.text.Format;
import java.util.Arrays;
import java.util.function.ToDoubleFunction;

/**
 * Standard errors of figures that are measured on part of the samples. Points of one landscape share their
 * samples, so differences between them are off by less.
 *
 * @param train training samples that are measured, of {@code all}
 * @param test test samples; a sample of the world themselves, however many are measured
 */
@Api
public record SamplingError(int train, int all, int test) {
    /** Standard errors to either side within which 95 % of samples lie. */
    private static final double BAND = 1.96;

    /** Of the training loss, nats; 0 where all samples are measured, or nothing is known. */
    double trainLoss(LossAndError f) {
        if (f.spread() == null || all <= 1) return 0;
        return f.spread() / Math.sqrt(train) * Math.sqrt((double) (all - train) / (all - 1));
    }

    /** Of the training error, a share; 0 where all samples are measured. */
    double trainError(LossAndError f) {
        if (all <= 1) return 0;
        return Math.sqrt(f.trainError() * (1 - f.trainError()) / train * (all - train) / (all - 1));
    }

    /** Of the test error, a share; never below one sample. */
    double testError(LossAndError f) {
        return Math.max(1.0 / test, Math.sqrt(f.testError() * (1 - f.testError()) / test));
    }

    /** The band around a figure: its lower and its upper edge at each point. */
    double[][] band(
            LossAndError[] points, ToDoubleFunction<LossAndError> figure, ToDoubleFunction<LossAndError> error) {
        double[][] edges = new double[2][points.length];
        for (int side = 0; side < 2; side++) {
            double sign = side == 0 ? -BAND : BAND;
            Arrays.setAll(edges[side], i -> figure.applyAsDouble(points[i]) + sign * error.applyAsDouble(points[i]));
        }
        return edges;
    }

    /** The sentence of a conclusion, for the point {@code f}. */
    String sentence(LossAndError f) {
        String loss = trainLoss(f) == 0
                ? ""
                : Format.of(
                        ", of a training loss on %d of %d training images \u00b1%.2g nats",
                        train, all, BAND * trainLoss(f));
        return Format.of(
                "Sampling error (95 %%) of a test error on %d images: \u00b1%.2f points%s; differences between points,"
                        + " measured on the same images, are off by less.",
                test, 100 * BAND * testError(f), loss);
    }
}
