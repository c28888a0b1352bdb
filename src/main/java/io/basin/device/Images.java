package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Samples and their targets that live on a device, or on the host, from which those of the next steps stream to it.
 *
 * @param pixels (count, height, width, channels), uint8 or float32; a vector of d features has d channels and one pixel
 * @param labels class labels (count) int32, or targets (count, outputs) float32
 * @param outputs of the net that fits: classes, or targets a sample
 * @param floats whether pixels are float32
 * @param targets whether labels are float32 targets
 * @param host where all samples lie if they stream: then pixels and labels hold nothing; null otherwise
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
        boolean targets,
        @Nullable Host host)
        implements AutoCloseable {
    /** Samples on the host, whole buffers in native order, as {@code pixels} and {@code labels} of a device have them. */
    public record Host(ByteBuffer pixels, ByteBuffer labels) {
        public Host {
            pixels = pixels.duplicate().clear().order(ByteOrder.nativeOrder());
            labels = labels.duplicate().clear().order(ByteOrder.nativeOrder());
        }
    }

    /** All on the device. */
    public Images(
            Memory pixels,
            Memory labels,
            int count,
            int height,
            int width,
            int channels,
            int outputs,
            boolean floats,
            boolean targets) {
        this(pixels, labels, count, height, width, channels, outputs, floats, targets, null);
    }

    /** Of uint8 images and class labels. */
    public Images(Memory pixels, Memory labels, int count, int height, int width, int channels, int classes) {
        this(pixels, labels, count, height, width, channels, classes, false, false);
    }

    /** (C, H, W) of one sample as the net sees it. */
    public Shape sample() {
        return Shape.of(channels, height, width);
    }

    /** Bytes of one sample. */
    public long pixelBytes() {
        return (floats ? 4 : 1) * sample().elements();
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
