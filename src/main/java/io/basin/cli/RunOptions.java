package io.basin.cli;

import io.basin.compare.Options;
import io.basin.train.Splits;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags that decide where and how something runs, and not what it computes. */
final class RunOptions {
    @Mixin
    OutputOptions output;

    @Mixin
    private NormOptions norms;

    @Option(names = "--checkpoint-every", defaultValue = "0", description = "steps between checkpoints within an epoch")
    private int checkpointEvery;

    @Option(names = "--keep-samples", description = "write SWAG's samples as weights files, for 'basin ensemble'")
    private boolean keepsSamples;

    Options options() {
        Options options = new Options(checkpointEvery, norms.update("auto"));
        return keepsSamples ? options.keepingSamples() : options;
    }

    /** What a run of {@code command} must have the same when it resumes. */
    Configuration configuration(String command, TrainingOptions training, Splits splits) {
        return training.fix(output.configuration(command, splits))
                .fixed("bn-update", norms.update("auto").how())
                .fixed("bn-plain", norms.update("auto").plain());
    }
}
