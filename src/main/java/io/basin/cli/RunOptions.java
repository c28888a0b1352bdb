package io.basin.cli;

import io.basin.compare.Options;
import io.basin.device.Device;
import io.basin.text.Reason;
import io.basin.train.Settings;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.LocalDateTime;
import java.time.format.DateTimeFormatter;
import java.util.Locale;
import java.util.stream.Stream;
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
    Configuration configuration(String command, Settings settings, Device device) {
        return new Configuration(command)
                .fixed("settings", settings)
                .fixed("device", device.describe())
                .fixed("bn-update", refresh)
                .fixed("bn-plain", plainRefresh);
    }

    /** The folder to write into: new and empty, or one to resume. */
    Path folder(String name) {
        return folder(name, out, resume);
    }

    /** As {@link #folder(String)}, for commands with flags of their own. */
    static Path folder(String name, Path out, Path resume) {
        if (resume != null) {
            if (!Files.exists(resume.resolve("config.json"))) {
                throw new IllegalArgumentException(
                        "--resume: " + resume + " holds no config.json: it is no run's folder");
            }
            return resume;
        }
        String time = LocalDateTime.now().format(DateTimeFormatter.ofPattern("yyyyMMdd-HHmmss", Locale.ROOT));
        Path folder = out != null ? out : Path.of("runs", name + "-" + time);
        try {
            Files.createDirectories(folder);
            try (Stream<Path> files = Files.list(folder)) {
                if (files.findAny().isPresent()) {
                    throw new IllegalArgumentException(
                            "--out: " + folder + " is not empty: name another folder, or --resume " + folder);
                }
            }
            return folder;
        } catch (IOException e) {
            throw new UncheckedIOException(
                    "--out: cannot write to " + folder + " (" + Reason.of(e) + "): name a folder that you may write to",
                    e);
        }
    }
}
