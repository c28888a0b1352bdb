package io.basin.data;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.io.Sha256;
import io.basin.text.Require;

/**
 * The two parts of a published data set.
 *
 * @param name as files of nets trained on it say it
 * @param train what may be learned from; a validation part is taken from it by {@link Split}, where there is none
 * @param validation what choices are made on, where the publisher says it; else null
 * @param test only ever measured on: nothing is chosen by it
 */
@Api
public record TrainTest(
        String name, Dataset train, @Nullable Dataset validation, Dataset test) {
    public TrainTest {
        Require.given("name", name);
        Require.given("train", train);
        Require.given("test", test);
        requireAlike(train, test, "test");
        if (validation != null) requireAlike(train, validation, "validation");
    }

    private static void requireAlike(Dataset train, Dataset other, String part) {
        if (!train.sample().equals(other.sample())
                || train.classes() != other.classes()
                || train.outputs() != other.outputs()) {
            throw new IllegalArgumentException(
                    "train and " + part + " differ in shape or classes: " + train + ", " + other);
        }
    }

    /** Of which no part is set aside for choices. */
    public TrainTest(String name, Dataset train, Dataset test) {
        this(name, train, null, test);
    }

    /** Under the training part's name. */
    public TrainTest(Dataset train, Dataset test) {
        this(Require.given("train", train).name(), train, test);
    }

    /** One set, of which {@code test} samples, stratified and the same ones every time, are only ever measured on. */
    public static TrainTest of(Dataset set, int test) {
        Split cut = Require.naming("test", () -> Split.stratified(Require.given("set", set), test, 0));
        return new TrainTest(set.name(), cut.train(), cut.validation().named(set.name() + " (test part)"));
    }

    /** Identifies these data: counts of images and the SHA-256 of all parts, in words. */
    public String fingerprint() {
        String held = validation == null ? "" : ", " + validation.count() + " validation";
        return train.count() + " training" + held + " and " + test.count() + " test images, SHA-256 "
                + Sha256.of(train.sha256() + (validation == null ? "" : validation.sha256()) + test.sha256());
    }
}
