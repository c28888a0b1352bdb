package io.basin.cli;

import io.basin.data.Augmentation;
import io.basin.io.FormatException;
import io.basin.models.StoredModel;
import io.basin.train.Provenance;
import java.nio.file.Path;

/** A weights file together with the net, the data set and the normalisation that its header names. */
record Model(Path file, String net, String dataset, Augmentation normalisation) {
    static Model of(Path file) {
        Provenance origin = StoredModel.of(file).origin();
        if (origin.mean().length == 0) {
            throw new FormatException(
                    file.toString(),
                    "does not say how its samples are normalised; name a file that 'train' or 'compare' wrote");
        }
        Augmentation normalisation = new Augmentation(0, false, origin.mean(), origin.std());
        return new Model(file, origin.model(), origin.dataset(), normalisation);
    }
}
