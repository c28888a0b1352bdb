package io.basin.device;

import io.basin.Api;

/**
 * Samples and their targets that live on a device.
 *
 * @param pixels (count, height, width, channels), uint8 or float32; a vector of d features has d channels and one pixel
 * @param labels class labels (count) int32, or targets (count, outputs) float32
 * @param outputs of the net that fits: classes, or targets a sample
 * @param floats whether pixels are float32
 * @param targets whether labels are float32 targets
 */
@Api
public record Images(
        Memory pixels,
        Memory labels,
        int count,
        int height,
        int width,
        int channels,
        int outputs,
        boolean floats,
        boolean targets)
        implements AutoCloseable {
    /** Of uint8 images and class labels. */
    public Images(Memory pixels, Memory labels, int count, int height, int width, int channels, int classes) {
        this(pixels, labels, count, height, width, channels, classes, false, false);
    }

    /** (C, H, W) of one sample as the net sees it. */
    public Shape sample() {
        return Shape.of(channels, height, width);
    }

    /** Labels or targets of one sample. */
    public int labelWidth() {
        return targets ? outputs : 1;
    }

    /** The 32 bits that a row past the last sample has for each label: -1, or a target that is not a number. */
    public int absent() {
        return targets ? Float.floatToRawIntBits(Float.NaN) : -1;
    }

    @Override
    public void close() {
        pixels.close();
        labels.close();
    }
}
