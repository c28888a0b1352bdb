package io.basin.device;

import io.basin.Api;
import io.basin.text.Require;

/**
 * How a plan draws its batches: gathers, pads, crops, flips and normalises the samples of the step that the run state counts.
 *
 * @param batch samples a step
 * @param seed of the order and of the augmentation
 * @param shuffled false: the samples in their own order, the last batch ragged
 */
@Api
public record BatchReader(int batch, Augmentation augmentation, long seed, boolean shuffled) {
    public BatchReader {
        Require.given("augmentation", augmentation);
    }

    /** The samples in their own order, none augmented. */
    public BatchReader plain() {
        return new BatchReader(batch, augmentation.plain(), seed, false);
    }

    /** The samples in their own order, augmented as in the first epoch. */
    public BatchReader ordered() {
        return new BatchReader(batch, augmentation, seed, false);
    }

    /** @throws IllegalArgumentException where no batch can be drawn from these images */
    public void requireFit(Images images) {
        if (shuffled && batch > images.count()) {
            throw new IllegalArgumentException(
                    "`batch` " + batch + " exceeds the " + images.count() + " training samples");
        }
        augmentation.requireFit(images.height(), images.width(), images.channels());
    }

    public BatchReader withBatch(int size) {
        return new BatchReader(size, augmentation, seed, shuffled);
    }
}
