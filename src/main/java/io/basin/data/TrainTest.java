package io.basin.data;

import io.basin.io.Sha256;
import java.util.Objects;

/**
 * The two parts of a published data set.
 *
 * @param train what may be learned from; a validation part is taken from it by {@link Split}
 * @param test only ever measured on: nothing is chosen by it
 */
public record TrainTest(ImageSet train, ImageSet test) {
    public TrainTest {
        Objects.requireNonNull(train, "train");
        Objects.requireNonNull(test, "test");
        if (train.height() != test.height()
                || train.width() != test.width()
                || train.channels() != test.channels()
                || train.classes() != test.classes()) {
            throw new IllegalArgumentException("train and test differ in shape or classes: " + train + ", " + test);
        }
    }

    /** What tells these data from others: counts of images and the SHA-256 of both parts, in words. */
    public String fingerprint() {
        return train.count() + " training and " + test.count() + " test images, SHA-256 "
                + Sha256.of(train.sha256() + test.sha256());
    }
}
