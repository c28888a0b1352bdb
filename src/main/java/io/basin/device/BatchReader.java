package io.basin.device;

import java.util.List;
import java.util.stream.IntStream;

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
public record BatchReader(int batch, int pad, boolean flip, float[] mean, float[] std, long seed, boolean shuffled) {
    public BatchReader {
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
    public BatchReader plain() {
        return new BatchReader(batch, 0, false, mean, std, seed, false);
    }

    /** The samples in their own order, augmented as in the first epoch. */
    public BatchReader ordered() {
        return new BatchReader(batch, pad, flip, mean, std, seed, false);
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof BatchReader that && content().equals(that.content());
    }

    @Override
    public int hashCode() {
        return content().hashCode();
    }

    @Override
    public String toString() {
        return "BatchReader" + content();
    }

    /** The components, arrays as lists. */
    private List<Object> content() {
        return List.of(batch, pad, flip, list(mean), list(std), seed, shuffled);
    }

    private static List<Float> list(float[] values) {
        return IntStream.range(0, values.length).mapToObj(i -> values[i]).toList();
    }
}
