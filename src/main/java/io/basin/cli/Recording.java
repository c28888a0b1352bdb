package io.basin.cli;

import io.basin.Nullable;
import io.basin.compare.Comparison;
import io.basin.exchange.EventFile;
import io.basin.io.Disk;
import io.basin.io.Folders;
import io.basin.io.JsonLines;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import picocli.CommandLine.Option;

/** Flags for programs that show how trainings go. */
final class Recording {
    @Option(
            names = "--tensorboard",
            paramLabel = "DIR",
            description =
                    "for TensorBoard: write curves, rates, averaging weights, histograms of weights and the report's"
                            + " pictures into a folder of the run's name there; default none")
    private @Nullable Path tensorboard;

    @Option(
            names = "--metrics-csv",
            paramLabel = "FILE",
            description = "write loss and accuracy of every epoch of all runs as a table; default none")
    private @Nullable Path metrics;

    private @Nullable Path events;

    /** As {@link Results#require()}, of these files too; events are written where a run is trained. */
    void require(Results results, RunOptions.Executors executors) {
        if (tensorboard != null && executors.are()) {
            throw new IllegalArgumentException(
                    "--tensorboard shows runs that this process trains, and --spark has others do it: leave one of them out");
        }
        results.require("--metrics-csv", metrics);
        Outputs.requireFolder("--tensorboard", tensorboard);
    }

    /** Says which run it is; before its configuration is kept, which tells one that resumes. */
    void of(Path folder) {
        if (tensorboard == null) return;
        events = tensorboard.resolve(folder.toAbsolutePath().normalize().getFileName());
        if (Files.exists(folder.resolve(Configuration.FILE)) || !Files.exists(events)) return;
        throw new IllegalArgumentException(
                "--tensorboard: " + events + " holds the events of another run: name another folder, or remove it");
    }

    void begin(Comparison comparison) {
        if (events != null) comparison.recordingTo(events);
    }

    /** Writes what the run's report and its metrics hold. */
    void end(Path folder) {
        if (metrics != null) Results.writeTable(metrics, JsonLines.read(folder.resolve("metrics.jsonl")));
        Path figures = folder.resolve("figures");
        if (events == null || !Files.isDirectory(figures)) return;
        Map<String, byte[]> pictures = new TreeMap<>();
        for (Path file : Folders.list(figures)) {
            String name = file.getFileName().toString();
            if (!name.endsWith(".png")) continue;
            pictures.put(name.replace(".png", ""), Disk.reading(file, () -> Files.readAllBytes(file)));
        }
        EventFile.pictures(events.resolve("report"), pictures);
    }
}
