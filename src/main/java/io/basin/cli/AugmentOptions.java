package io.basin.cli;

import io.basin.Nullable;
import io.basin.device.Distortion;
import io.basin.train.Settings;
import picocli.CommandLine.Option;

/** The flags of what training changes in its samples. */
final class AugmentOptions {
    enum Augment {
        NONE,
        FLIP,
        CROP_FLIP;

        /** @param pad pixels that are added where images are cropped */
        Settings.Data data(
                int pad, int batch, int validation, int trainSamples, double labelNoise, Distortion distortion) {
            int added = this == CROP_FLIP ? pad : 0;
            return new Settings.Data(batch, added, this != NONE, validation, trainSamples, labelNoise, distortion);
        }
    }

    @TrainingOptions.Sets({"pad", "flip"})
    @Option(names = "--augment", description = "none, flip or crop_flip; default none for grey images, else crop_flip")
    @Nullable
    Augment augment;

    @TrainingOptions.Sets("jitter")
    @Option(
            names = "--color-jitter",
            defaultValue = "0",
            description =
                    "a: brightness, contrast and saturation of training pictures times factors from 1 - a to 1 + a; default none")
    private double jitter;

    @Option(
            names = "--cutout",
            defaultValue = "0",
            description =
                    "height and width of a square that is cut out of training pictures, such as 16 of 32; default none")
    private int cutout;

    @Option(
            names = "--mixup",
            defaultValue = "0",
            description =
                    "alpha: mix pairs of training samples and their labels at shares of Beta(alpha, alpha), such as 0.2; evaluation"
                            + " and batch-norm statistics are of samples that are not mixed; default none")
    private double mixup;

    Distortion distortion() {
        return new Distortion(jitter, cutout, mixup);
    }

    /** Rows of numbers have no place and no colours. */
    void requireNoPictures() {
        if (augment != null && augment != Augment.NONE) {
            throw new IllegalArgumentException("--augment moves pictures, and these samples are rows of numbers");
        }
        if (jitter > 0 || cutout > 0) {
            throw new IllegalArgumentException(
                    "--color-jitter and --cutout change pictures, and these samples are rows of numbers: leave them out");
        }
    }
}
