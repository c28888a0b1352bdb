package io.basin.cli;

import io.basin.compare.Material;
import io.basin.compare.Options;
import io.basin.device.Device;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags that decide where and how something runs, and not what it computes. */
final class RunOptions {
    @Mixin
    private DeviceOptions on;

    @Option(names = "--out", description = "the run's folder; default runs/DATASET-MODEL-TIME")
    Path out;

    @Option(names = "--resume", description = "go on with the run in this folder; repeat its other flags")
    Path resume;

    @Option(names = "--checkpoint-every", defaultValue = "0", description = "steps between checkpoints within an epoch")
    int checkpointEvery;

    @Option(
            names = "--bn-update",
            defaultValue = "auto",
            description = "exact, single, or auto: exact up to 24 batch norms, SWAG's samples counted one by one")
    String refresh;

    @Option(names = "--bn-plain", description = "measure batch-norm statistics without augmentation")
    boolean plainRefresh;

    @Option(names = "--any-device", description = "resume on another device or thread count; the bits will differ")
    boolean anyDevice;

    @Option(names = "--keep-samples", description = "write SWAG's samples as weights files, for 'basin ensemble'")
    boolean keepsSamples;

    Device open() {
        return on.open();
    }

    Options options() {
        Options options = new Options(checkpointEvery, refresh, plainRefresh);
        return keepsSamples ? options.keepingSamples() : options;
    }

    /** What a run of {@code command} must have the same when it resumes. */
    Configuration configuration(String command, Material material, Device device) {
        return new Configuration(command)
                .fixed("settings", material.settings())
                .data(material.fingerprint())
                .device(device.describe(), anyDevice)
                .fixed("bn-update", refresh)
                .fixed("bn-plain", plainRefresh);
    }

    /** The folder to write into: new and empty, or one to resume. */
    Claim claim(String name) {
        return Claim.of(name, out, resume);
    }
}
