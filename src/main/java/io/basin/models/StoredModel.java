package io.basin.models;

import io.basin.data.Catalog;
import io.basin.data.DataSets;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.nn.Nets;
import io.basin.text.Closest;
import io.basin.train.Provenance;
import java.nio.file.Path;

/** A weights file and what its header says of it. */
public record StoredModel(Path file, Provenance origin) {
    /**
     * Reads the header only.
     *
     * @throws io.basin.io.FormatException if it is no weights file, or does not name net and data set
     */
    public static StoredModel of(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            return new StoredModel(file, Provenance.of(file.toString(), in.metadata()));
        }
    }

    /**
     * Loads the data set that the header names.
     *
     * @param folder where its files are; null to look in the usual places
     * @throws FormatException if this version knows no such data set or net
     */
    public TrainTest data(Path folder, Progress progress) {
        if (!Nets.NAMES.contains(origin.model())) {
            throw new FormatException(file.toString(), Closest.unknown("net", origin.model(), Nets.NAMES));
        }
        if (!Catalog.names().contains(origin.dataset())) {
            throw new FormatException(file.toString(), Closest.unknown("data set", origin.dataset(), Catalog.names()));
        }
        return DataSets.load(origin.dataset(), folder, progress);
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
