package io.basin.cli;

import io.basin.compare.Options;
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
    boolean plain;

    /** Exact, single or auto. */
    String refresh(String otherwise) {
        return refresh == null ? otherwise : refresh;
    }

    Options options(int checkpointEvery) {
        return new Options(checkpointEvery, refresh("auto"), plain);
    }
}
