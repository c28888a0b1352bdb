package io.basin.cli;

import io.basin.device.Device;
import io.basin.train.Splits;
import java.nio.file.Path;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** The flags of everything that fills a folder with results: where, and on what. */
final class OutputOptions {
    @Mixin
    private DeviceOptions on;

    @Option(names = "--out", description = "folder for results; default runs/NAME-TIME, where NAME says what was asked")
    private Path out;

    @Option(names = "--resume", description = "go on in this folder; repeat its other flags")
    Path resume;

    @Option(names = "--any-device", description = "resume on another device or thread count; the bits will differ")
    private boolean anyDevice;

    Device open() {
        return on.open();
    }

    /** The folder to write into: new and empty, or one to resume. */
    Claim claim(String name) {
        return Claim.of(name, out, resume);
    }

    /** What a run of {@code command} must have the same when it resumes: its data and, but for a flag, its device. */
    Configuration configuration(String command, Splits splits) {
        return new Configuration(command)
                .data(splits.fingerprint())
                .device(splits.device().describe(), anyDevice);
    }
}
