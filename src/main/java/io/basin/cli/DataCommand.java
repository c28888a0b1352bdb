package io.basin.cli;

import io.basin.data.Catalog;
import io.basin.data.DataException;
import io.basin.data.DataSets;
import io.basin.data.Location;
import io.basin.data.Location.FileStatus;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "data",
        description = "Lists, fetches and verifies data sets.",
        footer = {
            "",
            "Examples:",
            "  basin data list",
            "  basin data fetch cifar10",
            "  basin data verify fashion-mnist"
        })
final class DataCommand implements Runnable {
    @Command(
            name = "list",
            description = "what is known, and where it lies",
            footer = {"", "Example:", "  basin data list"})
    void list() {
        for (String name : Catalog.names()) {
            System.out.printf(Locale.ROOT, "%-14s %s%n", name, place(name));
        }
    }

    private static String place(String name) {
        try {
            Location location = DataSets.locate(name, null);
            return location.present()
                    ? location.folder().toString()
                    : "not here; 'basin data fetch " + name + "' gets it";
        } catch (DataException e) {
            return "not usable: " + e.getMessage();
        }
    }

    @Command(
            name = "fetch",
            description = "downloads a data set, resuming, and checks its sums",
            footer = {"", "Examples:", "  basin data fetch cifar10", "  basin data fetch mnist --data-dir data/mnist"})
    void fetch(
            @Parameters(
                            paramLabel = "DATASET",
                            completionCandidates = Known.Sets.class,
                            description = "${COMPLETION-CANDIDATES}")
                    String name,
            @Option(
                            names = "--data-dir",
                            description = "where to; default $BASIN_DATA, else $BASIN_CACHE or ~/.cache/basin")
                    Path dir) {
        System.out.println(name + ": in "
                + DataSets.fetch(name, dir, new Bars().progress()).folder());
    }

    @Command(
            name = "verify",
            description = "checks the SHA-256 sums of a data set's files; exit code 1 where one differs",
            footer = {
                "",
                "Examples:",
                "  basin data verify fashion-mnist",
                "  basin data verify mnist --data-dir data/mnist"
            })
    int verify(
            @Parameters(
                            paramLabel = "DATASET",
                            completionCandidates = Known.Sets.class,
                            description = "${COMPLETION-CANDIDATES}")
                    String name,
            @Option(names = "--data-dir", description = Flags.DATA_DIR) Path dir) {
        List<FileStatus> all = DataSets.verify(name, dir, new Bars().progress());
        all.forEach(f -> System.out.printf(Locale.ROOT, "%-30s %s %s%n", f.file(), f.state(), f.detail()));
        if (all.stream().allMatch(FileStatus::ok)) return 0;
        String where = dir == null ? "" : " --data-dir " + dir;
        System.err.println("basin: " + name + " is missing or not as published; 'basin data fetch " + name + where
                + "' downloads it");
        return 1;
    }

    @Override
    public void run() {
        list();
    }
}
