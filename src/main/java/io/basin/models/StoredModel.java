package io.basin.models;

import io.basin.data.Catalog;
import io.basin.data.DataSets;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.io.FormatException;
import io.basin.io.Notices;
import io.basin.io.Safetensors;
import io.basin.nn.Nets;
import io.basin.text.Closest;
import io.basin.train.Checkpoint;
import io.basin.train.Provenance;
import java.nio.file.Path;
import java.util.List;

/** A weights file and what its header says of it. */
public record StoredModel(Path file, Provenance origin, boolean summed) {
    /** Of a file that names its SHA-256. */
    public StoredModel(Path file, Provenance origin) {
        this(file, origin, true);
    }

    /**
     * Checks the file and reads its header.
     *
     * @throws io.basin.io.FormatException if it is no weights file, or does not name net and data set
     * @throws IllegalArgumentException if it is the state of a run, whose moving weights are not what its method ends with
     */
    public static StoredModel of(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            if (Checkpoint.isState(in.metadata())) {
                throw new IllegalArgumentException(file + " is the state of a run after "
                        + in.metadata().get("step") + " steps, not its method's result: " + RunFolder.insteadOf(file));
            }
            return new StoredModel(file, Provenance.of(file.toString(), in.metadata()), in.summed());
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

    /** Whether it is of {@code method}, or of a run that served several and that one too. */
    boolean isOf(String method) {
        return List.of(origin.method().split("\\+")).contains(method);
    }

    /**
     * Compares the data's fingerprint with the one in the file; a file without one is believed with a line of warning.
     *
     * @throws IllegalArgumentException if the model was trained on other data and {@code lenience} does not allow it
     */
    public void requireTrainedOn(TrainTest data, Lenience lenience) {
        if (origin.data().isEmpty()) {
            // A file without a sum was warned of already.
            if (summed) Notices.once(file + " does not say by a SHA-256 on which data it was trained");
            return;
        }
        if (!trainedOnOther(data)) return;
        String differ = file + " was trained on other data than were found: there " + origin.data() + ", now "
                + data.fingerprint();
        if (!lenience.otherData()) {
            throw new IllegalArgumentException(differ + "; name the folder of its data with --data-dir"
                    + " ('evaluate', 'predict' and 'ensemble' take other data with --other-data)");
        }
        Notices.once(differ);
    }

    /** Whether the file says that the model was trained on other data. */
    public boolean trainedOnOther(TrainTest data) {
        return !origin.data().isEmpty() && !origin.data().equals(data.fingerprint());
    }

    @Override
    public String toString() {
        return file.toString();
    }
}
