package io.basin.device;

import io.basin.Api;

/**
 * The loss that training minimises, as plain data: the mean over a batch of a sample's loss.
 *
 * <p>A loss reads its targets beside the batch: class labels (N) int32, or float32 targets (N, K) with one for each of the net's
 * outputs. It also turns logits into predictions, which an evaluation returns.
 */
@Api
public sealed interface Loss {
    /** Whether targets are class labels; otherwise there is one float for each output. */
    default boolean labels() {
        return false;
    }

    /** As evaluation measures it: without label smoothing. */
    default Loss plain() {
        return this;
    }

    /** Softmax and cross-entropy with the class labels, smoothed by {@code smoothing}; predictions are probabilities. */
    static Loss crossEntropy(double smoothing) {
        return new CrossEntropy(smoothing);
    }

    /** Cross-entropy of independent yes-no outputs; predictions are the probabilities of yes. */
    static Loss binaryCrossEntropy() {
        return new BinaryCrossEntropy();
    }

    /** Mean squared error of the outputs, which are the predictions themselves. */
    static Loss squaredError() {
        return new SquaredError();
    }

    /**
     * q_k = (1 - s) [k = y] + s / K; loss = - sum_k q_k log softmax(x)_k. A hit is a sample whose likeliest class, the first of
     * equals, is its label. Of a row that is mixed with another at the share m, [k = y] is m [k = y] + (1 - m) [k = y'], by which the
     * loss is that of both labels, weighted (Zhang et al. 2018, arXiv 1710.09412); a hit is the label of the larger share, the row's own of equals.
     */
    record CrossEntropy(double smoothing) implements Loss {
        public CrossEntropy {
            if (!(smoothing >= 0 && smoothing < 1)) {
                throw new IllegalArgumentException("label smoothing must be at least 0 and below 1, got " + smoothing);
            }
        }

        @Override
        public boolean labels() {
            return true;
        }

        @Override
        public Loss plain() {
            return new CrossEntropy(0);
        }
    }

    /**
     * loss = mean_k (max(x_k, 0) - x_k y_k + log(1 + exp(-|x_k|))), from logits; targets from 0 to 1. A hit is a sample all of
     * whose outputs lie on their target's side of one half.
     */
    record BinaryCrossEntropy() implements Loss {}

    /** loss = mean_k (x_k - y_k)^2. Nothing counts as a hit. */
    record SquaredError() implements Loss {}
}
