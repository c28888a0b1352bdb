package io.basin.device;

import io.basin.Api;
import io.basin.text.Require;
import java.util.Arrays;
import java.util.Objects;

/**
 * How an image becomes an input: random crop, flip and distortion in training, and normalisation.
 *
 * @param pad zero pixels added on every side before a crop of the original size; 0 for no crop
 * @param flip whether images are mirrored left to right half of the time
 * @param distortion what else training changes
 * @param mean per channel, (C), of pixels scaled to [0, 1]
 * @param std per channel, (C), above 0
 */
@Api
public record Augmentation(int pad, boolean flip, Distortion distortion, float[] mean, float[] std) {
    /** @throws IllegalArgumentException if pad is negative, the lengths differ, or a value cannot be divided by */
    public Augmentation {
        Require.given("distortion", distortion);
        mean = Require.given("mean", mean).clone();
        std = Require.given("std", std).clone();
        if (pad < 0) {
            throw new IllegalArgumentException("pad is " + pad + ", below 0");
        }
        if (mean.length != std.length || mean.length == 0) {
            throw new IllegalArgumentException("mean has " + mean.length + " channels, std " + std.length);
        }
        for (int c = 0; c < mean.length; c++) {
            if (!Float.isFinite(mean[c]) || !Float.isFinite(std[c]) || std[c] <= 0) {
                throw new IllegalArgumentException("channel " + c + " has mean " + mean[c] + " and std " + std[c]);
            }
        }
    }

    /** Crops, flips and normalisation alone. */
    public Augmentation(int pad, boolean flip, float[] mean, float[] std) {
        this(pad, flip, Distortion.NONE, mean, std);
    }

    /** The same with another distortion. */
    public Augmentation with(Distortion other) {
        return new Augmentation(pad, flip, other, mean, std);
    }

    /** Normalisation alone. */
    public Augmentation plain() {
        return new Augmentation(0, false, mean, std);
    }

    /**
     * Refuses images that this does not fit.
     *
     * @throws IllegalArgumentException if the channels differ from the augmentation's, a size is below 1, or the
     *     padding is so wide that a crop could miss the image
     */
    public void requireFit(int height, int width, int channels) {
        if (height < 1 || width < 1 || channels != channels()) {
            throw new IllegalArgumentException("images (" + height + ", " + width + ", " + channels
                    + ") do not fit an augmentation of " + channels() + " channels");
        }
        if (pad >= Math.min(height, width)) {
            throw new IllegalArgumentException("pad " + pad + " is not below the image's " + height + " x " + width
                    + ": a crop could miss the image");
        }
    }

    /** Whether its result depends on a draw. */
    public boolean random() {
        return pad > 0 || flip || !distortion.equals(Distortion.NONE);
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

    /** Number of channels, C. */
    public int channels() {
        return mean.length;
    }

    /** The value of every possible pixel, (C, 256): {@code (v / 255 - mean[c]) / std[c]} in float, in this order. */
    public float[] table() {
        float[] table = new float[mean.length * 256];
        for (int c = 0; c < mean.length; c++) {
            for (int v = 0; v < 256; v++) {
                table[c * 256 + v] = (v / 255f - mean[c]) / std[c];
            }
        }
        return table;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof Augmentation that
                && pad == that.pad
                && flip == that.flip
                && distortion.equals(that.distortion)
                && Arrays.equals(mean, that.mean)
                && Arrays.equals(std, that.std);
    }

    @Override
    public int hashCode() {
        return 31 * (31 * Arrays.hashCode(mean) + Arrays.hashCode(std)) + Objects.hash(pad, flip, distortion);
    }

    @Override
    public String toString() {
        String distorted = distortion.equals(Distortion.NONE) ? "" : ", " + distortion;
        return "pad " + pad + (flip ? ", flip" : "") + distorted + ", mean " + Arrays.toString(mean) + ", std "
                + Arrays.toString(std);
    }
}
