package io.basin.cli;

import io.basin.data.TrainTest;
import io.basin.models.Lenience;
import io.basin.models.StoredModel;
import java.util.List;
import picocli.CommandLine.Option;

/** The flags by which a user asks for what is refused otherwise. */
final class LenienceOptions {
    @Option(names = "--other-data", description = "measure on other data than the nets were trained on, and say so")
    private boolean otherData;

    @Option(names = "--extra-tensors", description = "ignore weights in the files that their nets do not have")
    private boolean extraTensors;

    Lenience lenience() {
        return new Lenience(otherData, extraTensors);
    }

    /** A line of results that says so, where a model was trained on other data. */
    static void say(List<StoredModel> models, TrainTest data) {
        if (models.stream().noneMatch(m -> m.trainedOnOther(data))) return;
        System.out.println("On other data than trained on (--other-data): " + data.fingerprint());
    }
}
