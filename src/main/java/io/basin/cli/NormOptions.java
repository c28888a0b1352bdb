package io.basin.cli;

import io.basin.train.BatchNormUpdate;
import picocli.CommandLine.Option;

/** How batch-norm statistics are measured. */
final class NormOptions {
    @Option(
            names = "--bn-update",
            description =
                    "exact (layer by layer; deep nets take long), single (one pass), or auto: exact up to 24 batch"
                            + " norms, SWAG's samples counted one by one; default auto, in landscapes exact")
    private String refresh;

    @Option(names = "--bn-plain", description = "measure batch-norm statistics without augmentation")
    private boolean plain;

    /** @param otherwise what to do where the flag does not say */
    BatchNormUpdate update(String otherwise) {
        return new BatchNormUpdate(refresh == null ? otherwise : refresh, plain);
    }
}
