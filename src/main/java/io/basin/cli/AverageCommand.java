package io.basin.cli;

import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Averages the weights of files: what SWA does while training, done afterwards. */
@Command(
        name = "average",
        description = "Averages weights files of one net in float64 and measures the mean's batch-norm statistics.",
        footer = {
            "",
            "Examples:",
            "  basin average runs/a/seed-1/swa/member-*.safetensors --out swa.safetensors",
            "  basin average a.safetensors b.safetensors --out avg.safetensors --no-bn-update"
        })
final class AverageCommand implements Runnable {
    @Parameters(paramLabel = "FILE", arity = "1..*", description = "safetensors files of one net")
    private List<Path> files;

    @Mixin
    private MergeOptions merge;

    @Override
    public void run() {
        merge.mean(files, "average");
    }
}
