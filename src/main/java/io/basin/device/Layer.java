package io.basin.device;

/**
 * What an operation computes, as plain data: planned by devices, printed, and compared by content. A caller's own
 * {@link Initializer} or {@link Elementwise} inside is compared by its own {@code equals}.
 */
public sealed interface Layer {
    /**
     * Convolution, optionally with bias and ReLU in the same pass.
     *
     * @param out output channels
     * @param pad zeros added on each side
     * @param groups divides input and output channels
     */
    record Conv(int out, int kernel, int stride, int pad, int groups, boolean bias, boolean relu, Initializer init)
            implements Layer {}

    /** Batch normalisation over (N, H, W), optionally with ReLU in the same pass; running = (1-m) running + m batch. */
    record BatchNorm(double eps, double momentum, boolean relu) implements Layer {}

    /** Fully connected layer over everything but N, optionally with ReLU in the same pass. */
    record Dense(int out, boolean bias, boolean relu, Initializer init) implements Layer {}

    enum PoolKind {
        MAX,
        AVERAGE
    }

    /** Pooling; averages do not count padding. */
    record Pool(PoolKind kind, int kernel, int stride, int pad) implements Layer {}

    record Relu() implements Layer {}

    record Add() implements Layer {}

    /** Zeroes each element with probability p while training and scales the others by 1/(1-p). */
    record Dropout(double p) implements Layer {}

    record Pointwise(Elementwise function) implements Layer {}
}
