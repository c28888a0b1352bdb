package io.basin.cli;

import io.basin.data.Augmentation;
import io.basin.io.FormatException;
import io.basin.models.StoredModel;
import io.basin.train.Provenance;
import java.nio.file.Path;

/** A weights file together with the net, the data set and the reading of samples that its header names. */
record Model(Path file, String net, String dataset, Augmentation augmentation, String data) {
    static Model of(Path file) {
        Provenance origin = StoredModel.of(file).origin();
        if (origin.mean().length == 0) {
            throw new FormatException(
                    file.toString(),
                    "does not say how its samples are normalised; name a file that 'train' or 'compare' wrote");
        }
        Augmentation read = new Augmentation(origin.pad(), origin.flip(), origin.mean(), origin.std());
        return new Model(file, origin.model(), origin.dataset(), read, origin.data());
    }

    /** How samples were augmented in training. */
    TrainingOptions.Augment augment() {
        if (!augmentation.flip()) return TrainingOptions.Augment.NONE;
        return augmentation.pad() > 0 ? TrainingOptions.Augment.CROP_FLIP : TrainingOptions.Augment.FLIP;
    }

    /** Whether both nets were trained on the same samples, read alike, as far as their files say. */
    boolean reads(Model other) {
        boolean known = !data.isEmpty() && !other.data.isEmpty();
        return augmentation.equals(other.augmentation) && (!known || data.equals(other.data));
    }
}
