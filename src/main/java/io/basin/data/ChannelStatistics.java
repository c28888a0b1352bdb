package io.basin.data;

import io.basin.Api;
import io.basin.device.Augmentation;
import java.util.Arrays;

/** Mean and population standard deviation of each channel, (C), of bytes scaled to [0, 1] and of floats as they are. */
@Api
public record ChannelStatistics(double[] mean, double[] std) {
    /** From a histogram, whose sums are exact integers, so the result does not depend on the order of the images. */
    static ChannelStatistics of(byte[] pixels, int channels) {
        long[][] histogram = new long[channels][256];
        for (int i = 0; i < pixels.length; ) for (int c = 0; c < channels; c++) histogram[c][pixels[i++] & 0xFF]++;
        double[] mean = new double[channels];
        double[] std = new double[channels];
        double n = (double) pixels.length / channels;
        for (int c = 0; c < channels; c++) {
            long sum = 0;
            for (int v = 0; v < 256; v++) sum += v * histogram[c][v];
            double centre = sum / n;
            double squares = 0;
            for (int v = 0; v < 256; v++) squares += histogram[c][v] * (v - centre) * (v - centre);
            mean[c] = centre / 255;
            std[c] = Math.sqrt(squares / n) / 255;
        }
        return new ChannelStatistics(mean, std);
    }

    /** Mean and deviation of each channel of (n, h, w, c), in two passes. */
    static ChannelStatistics of(float[] values, int channels) {
        double[] mean = new double[channels];
        double[] std = new double[channels];
        double n = (double) values.length / channels;
        for (int i = 0; i < values.length; i++) mean[i % channels] += values[i] / n;
        for (int i = 0; i < values.length; i++) {
            double d = values[i] - mean[i % channels];
            std[i % channels] += d * d / n;
        }
        for (int c = 0; c < channels; c++) std[c] = Math.sqrt(std[c]);
        return new ChannelStatistics(mean, std);
    }

    /** Normalisation to mean 0 and variance 1; a constant channel is only centred. */
    Augmentation augmentation(int pad, boolean flip) {
        float[] to = new float[mean.length];
        float[] by = new float[mean.length];
        for (int c = 0; c < mean.length; c++) {
            to[c] = (float) mean[c];
            by[c] = std[c] > 0 ? (float) std[c] : 1;
        }
        return new Augmentation(pad, flip, to, by);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof ChannelStatistics that
                && Arrays.equals(mean, that.mean)
                && Arrays.equals(std, that.std);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(mean) + Arrays.hashCode(std);
    }

    @Override
    public String toString() {
        return "mean " + Arrays.toString(mean) + ", std " + Arrays.toString(std);
    }
}
