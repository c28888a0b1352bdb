package io.basin.device;

import io.basin.Api;
import io.basin.random.Permutation;
import io.basin.text.Require;

/**
 * How a plan draws its batches: gathers, augments and normalises the samples of the step that the run state counts.
 *
 * <p>Mixup applies to shuffled batches alone: passes over samples in their own order, as for evaluation and batch norm's
 * statistics, mix none.
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
        augmentation.distortion().requireFit(images.height(), images.width(), images.floats(), images.targets());
        if (mixes() && batch < 2) throw new IllegalArgumentException("`mixup` needs a `batch` of 2 or more samples");
    }

    /** The number of the sample in a row of a step's batch, of {@code count}; -1 past the last one. */
    public int sample(long step, int row, int count) {
        if (!shuffled) return step * batch + row < count ? (int) (step * batch + row) : -1;
        int batches = count / batch;
        return Permutation.at((int) (step % batches) * batch + row, count, seed, step / batches);
    }

    /** Whether batches are mixed. */
    public boolean mixes() {
        return shuffled && augmentation.distortion().mixup() > 0;
    }

    /** Bytes of a batch's labels as {@link Op.Batch#labels} has them. */
    public long labelBytes(Images images) {
        return 4L * images.labelWidth() * batch * (mixes() ? 3 : 1);
    }

    public BatchReader withBatch(int size) {
        return new BatchReader(size, augmentation, seed, shuffled);
    }
}
