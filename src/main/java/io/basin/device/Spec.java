package io.basin.device;

import java.util.List;
import java.util.stream.IntStream;

/**
 * What an operation computes, as plain data: planned by devices, printed, and compared by content. A caller's own
 * {@link Initializer} or {@link Elementwise} inside is compared by its own {@code equals}.
 */
public sealed interface Spec {
    /**
     * Convolution, optionally with bias and ReLU in the same pass.
     *
     * @param out output channels
     * @param pad zeros added on each side
     * @param groups divides input and output channels
     */
    record Conv(int out, int kernel, int stride, int pad, int groups, boolean bias, boolean relu, Initializer init)
            implements Spec {}

    /** Batch normalisation over (N, H, W), optionally with ReLU in the same pass; running = (1-m) running + m batch. */
    record Norm(double eps, double momentum, boolean relu) implements Spec {}

    /** Fully connected layer over everything but N, optionally with ReLU in the same pass. */
    record Dense(int out, boolean bias, boolean relu, Initializer init) implements Spec {}

    enum PoolKind {
        MAX,
        AVERAGE
    }

    /** Pooling; averages do not count padding. */
    record Pool(PoolKind kind, int kernel, int stride, int pad) implements Spec {}

    record Relu() implements Spec {}

    record Add() implements Spec {}

    /** Zeroes each element with probability p while training and scales the others by 1/(1-p). */
    record Dropout(double p) implements Spec {}

    record Map(Elementwise function) implements Spec {}

    /**
     * Gathers, pads, crops, flips and normalises the samples of the step that the control block counts.
     *
     * @param batch samples a step
     * @param pad pixels of zeros around the image before a random crop of its own size; 0 for none
     * @param flip mirror half of the samples
     * @param mean and std per channel, of pixels scaled to [0, 1]
     * @param seed of the order and of the augmentation
     * @param shuffled false: the samples in their own order, the last batch ragged
     */
    record Batch(int batch, int pad, boolean flip, float[] mean, float[] std, long seed, boolean shuffled)
            implements Spec {
        public Batch {
            mean = mean.clone();
            std = std.clone();
        }

        /** A copy. */
        @Override
        public float[] mean() {
            return mean.clone();
        }

        /** A copy. */
        @Override
        public float[] std() {
            return std.clone();
        }

        /** The samples in their own order, none augmented. */
        public Batch plain() {
            return new Batch(batch, 0, false, mean, std, seed, false);
        }

        /** The samples in their own order, augmented as in the first epoch. */
        public Batch ordered() {
            return new Batch(batch, pad, flip, mean, std, seed, false);
        }

        @Override
        public boolean equals(Object other) {
            return other instanceof Batch that && content().equals(that.content());
        }

        @Override
        public int hashCode() {
            return content().hashCode();
        }

        @Override
        public String toString() {
            return "Batch" + content();
        }

        /** The components, arrays as lists. */
        private List<Object> content() {
            return List.of(batch, pad, flip, list(mean), list(std), seed, shuffled);
        }

        private static List<Float> list(float[] values) {
            return IntStream.range(0, values.length).mapToObj(i -> values[i]).toList();
        }
    }

    /** Softmax and mean cross-entropy with label smoothing, the count of hits, and the gradient of the logits. */
    record Loss(double smoothing) implements Spec {}

    /** One update of all parameters: v = mu v + g + wd w; w -= lr[t] v; if alpha[t] != 0, avg += alpha[t] (w - avg). */
    record Step(double momentum, double weightDecay, boolean nesterov) implements Spec {}
}
