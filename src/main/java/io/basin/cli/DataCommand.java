package io.basin.cli;

import io.basin.data.Catalog;
import io.basin.data.DataException;
import io.basin.data.DataSets;
import io.basin.data.Location;
import io.basin.data.Location.FileStatus;
import io.basin.data.OwnCache;
import io.basin.text.Format;
import java.nio.file.Path;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "data",
        description = "Lists, fetches and verifies data sets, and keeps the cache of your own pictures small.",
        footer = {
            "",
            "Examples:",
            "  basin data list",
            "  basin data fetch cifar10",
            "  basin data verify fashion-mnist",
            "  basin data own",
            "  basin data clean"
        })
final class DataCommand implements Runnable {
    private static final DateTimeFormatter DAY =
            DateTimeFormatter.ofPattern("yyyy-MM-dd", Locale.ROOT).withZone(ZoneId.systemDefault());

    @Command(
            name = "list",
            description = "what is known, and where it lies",
            footer = {"", "Example:", "  basin data list"})
    void list() {
        for (String name : Catalog.names()) {
            System.out.println(Format.of("%-14s %s", name, place(name)));
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
        all.forEach(f -> System.out.println(Format.of("%-30s %s %s", f.file(), f.state(), f.detail())));
        if (all.stream().allMatch(FileStatus::ok)) return 0;
        String where = dir == null ? "" : " --data-dir " + dir;
        System.err.println("basin: " + name + " is missing or not as published; 'basin data fetch " + name + where
                + "' downloads it");
        return 1;
    }

    @Command(
            name = "own",
            description = "decoded copies of your own pictures in the cache; when a new one makes them more than 8 GiB,"
                    + " those that were not used for longest are deleted",
            footer = {"", "Example:", "  basin data own"})
    void own() {
        List<OwnCache.Copy> all = OwnCache.list(OwnCache.folder());
        all.forEach(c ->
                System.out.println(Format.of("%9.1f MB, used %s: %s", 1e-6 * c.bytes(), DAY.format(c.used()), c.of())));
        System.out.println(said(all) + " in " + OwnCache.folder());
    }

    @Command(
            name = "clean",
            description = "deletes those copies; what needs one decodes the pictures again",
            footer = {"", "Example:", "  basin data clean"})
    void clean() {
        List<OwnCache.Copy> all = OwnCache.list(OwnCache.folder());
        all.forEach(OwnCache::delete);
        System.out.println("deleted " + said(all) + " in " + OwnCache.folder());
    }

    private static String said(List<OwnCache.Copy> copies) {
        double megabytes = copies.stream().mapToDouble(c -> 1e-6 * c.bytes()).sum();
        String noun = copies.size() == 1 ? " copy" : " copies";
        return Format.of("%d%s, %.1f MB", copies.size(), noun, megabytes);
    }

    @Override
    public void run() {
        list();
    }
}
