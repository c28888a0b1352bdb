package io.basin.models;

import io.basin.io.Safetensors;
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

    @Override
    public String toString() {
        return file.toString();
    }
}
