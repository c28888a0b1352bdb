package io.basin.compare;

import io.basin.data.Augmentation;
import io.basin.data.ImageSet;
import io.basin.data.Split;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Memory;
import io.basin.device.Spec;
import io.basin.train.Settings;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * A data set cut into training, validation and test parts, all on the device.
 *
 * <p>The validation part is cut from the training set, stratified; everything that is chosen is chosen on it, and the test part
 * is only ever measured on. The split has its own fixed seed, so that all seeds and methods of a comparison share it.
 */
public final class Material implements AutoCloseable {
    private static final long SPLIT_SEED = 20180314;

    private final Settings settings;
    private final ImageSet trainSet;
    private final ImageSet validationSet;
    private final ImageSet testSet;
    private final float[] mean;
    private final float[] std;
    private final Images train;
    private final Images validation;
    private final Images test;

    /** Splits and uploads; {@code settings} says how many samples to hold out and to train on. */
    public Material(Device device, TrainTest data, Settings settings) {
        this.settings = settings;
        if (settings.validation() >= data.train().count()) {
            throw new IllegalArgumentException("--validation " + settings.validation() + " leaves none of the "
                    + data.train().count() + " training images to train on");
        }
        Split split = Split.stratified(data.train(), settings.validation(), SPLIT_SEED);
        trainSet = fewer(split.train(), settings.trainSamples());
        validationSet = split.validation();
        testSet = data.test();
        if (trainSet.count() < settings.batch()) {
            throw new IllegalArgumentException(
                    "--batch-size " + settings.batch() + " exceeds the " + trainSet.count() + " training samples");
        }
        Augmentation normalisation = Augmentation.of(trainSet, 0, false);
        mean = normalisation.mean();
        std = normalisation.std();
        train = upload(device, trainSet);
        try {
            validation = upload(device, validationSet);
            test = upload(device, testSet);
        } catch (RuntimeException e) {
            train.close();
            throw e;
        }
    }

    private static ImageSet fewer(ImageSet set, int count) {
        if (count == 0 || count >= set.count()) return set;
        return Split.stratified(set, count, SPLIT_SEED).validation();
    }

    /** Copies a set to the device: pixels (N, H, W, C) uint8, labels (N) int32. */
    public static Images upload(Device device, ImageSet set) {
        Memory pixels = device.allocate(set.pixels().length);
        try {
            ByteBuffer direct = ByteBuffer.allocateDirect(set.pixels().length).put(set.pixels());
            device.upload(pixels, 0, direct.flip());
            ByteBuffer labels = ByteBuffer.allocateDirect(4 * set.count()).order(ByteOrder.nativeOrder());
            labels.asIntBuffer().put(set.labels());
            Memory on = device.allocate(labels.capacity());
            device.upload(on, 0, labels);
            return new Images(pixels, on, set.count(), set.height(), set.width(), set.channels(), set.classes());
        } catch (RuntimeException e) {
            pixels.close();
            throw e;
        }
    }

    public int stepsPerEpoch() {
        return trainSet.count() / settings.batch();
    }

    public Settings settings() {
        return settings;
    }

    public ImageSet trainSet() {
        return trainSet;
    }

    public ImageSet validationSet() {
        return validationSet;
    }

    public ImageSet testSet() {
        return testSet;
    }

    public Images train() {
        return train;
    }

    public Images validation() {
        return validation;
    }

    public Images test() {
        return test;
    }

    /** Per channel, of the training part's pixels scaled to [0, 1]. */
    public float[] mean() {
        return mean;
    }

    public float[] std() {
        return std;
    }

    /** How evaluation reads samples: normalised, in order, not augmented. */
    public Spec.Batch plainBatch() {
        return augmentedBatch().plain();
    }

    /** How the pass for batch norm's statistics reads samples: in order, augmented as the net was trained. */
    public Spec.Batch augmentedBatch() {
        return new Spec.Batch(settings.batch(), settings.pad(), settings.flip(), mean, std, 0, false);
    }

    @Override
    public void close() {
        train.close();
        validation.close();
        test.close();
    }
}
