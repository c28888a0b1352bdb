package io.basin.device;

/**
 * A labelled image set that lives on a device.
 *
 * @param pixels uint8, (count, height, width, channels)
 * @param labels int32, (count)
 */
public record Images(Memory pixels, Memory labels, int count, int height, int width, int channels, int classes)
        implements AutoCloseable {
    /** (C, H, W) of one sample as the net sees it. */
    public Shape sample() {
        return Shape.of(channels, height, width);
    }

    @Override
    public void close() {
        pixels.close();
        labels.close();
    }
}
