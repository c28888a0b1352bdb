package io.basin.random;

/**
 * Numbers of the uses of randomness, the last word of the Philox counter.
 *
 * <p>Two uses with different numbers never share a block, whatever their other counter words are. A number is part of
 * what a seed means: changing one changes every run.
 */
public final class Streams {
    /** Order of the samples in an epoch: {@link Permutation}. */
    public static final int ORDER = 1;

    /** Crop and flip of a training sample. */
    public static final int AUGMENTATION = 2;

    /** Labels of training samples that are made wrong on purpose. */
    public static final int LABEL_NOISE = 3;

    public static final int DROPOUT = 4;

    /** Pixels of synthetic data sets. */
    public static final int SYNTHETIC = 5;

    /** Weights drawn from SWAG's Gaussian. */
    public static final int POSTERIOR = 6;

    /** Noise and shifts of corrupted test images, and images of no class. */
    public static final int CORRUPTION = 7;

    /** The point on the curve at which each step of a curve's training stands. */
    public static final int CURVE = 8;

    /** Random directions in weight space. */
    public static final int DIRECTION = 9;

    /** Brightness, contrast and saturation of a training sample. */
    public static final int JITTER = 10;

    /** The place of the square that is cut out of a training sample. */
    public static final int CUTOUT = 11;

    /** The share of a training sample in its mixture with another. */
    public static final int MIXUP = 12;

    private Streams() {}
}
