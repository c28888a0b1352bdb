package io.basin.data;

import io.basin.data.CatalogEntry.RemoteFile;
import java.nio.file.Path;
import java.util.List;

/**
 * The data sets of {@link Catalog} by name, on this machine.
 *
 * <p>A folder given, or else {@code $BASIN_DATA} where that is set, must hold the set. Where neither is, it is looked for in
 * {@code /usr/share/datasets}, then in {@code $BASIN_CACHE} or {@code ~/.cache/basin}, and downloaded to there.
 *
 * <p>The folder argument is null where the user named none. Every method throws a {@link DataException} whose message
 * says what is wrong and what to do.
 */
public final class DataSets {
    private final Locator locator;
    private final Download download;

    /** With surroundings given to it: tests have folders and servers of their own. */
    DataSets(Locator locator, Download download) {
        this.locator = locator;
        this.download = download;
    }

    private static DataSets standard() {
        return new DataSets(Locator.standard(), Download.standard());
    }

    /**
     * Reads a data set; downloads it to the cache first if it is nowhere and no folder is given.
     *
     * <p>Content is not compared with the published sums: a folder may hold the user's own images in the same format.
     */
    public static TrainTest load(String name, Path dataDir, Progress progress) {
        return standard().read(name, dataDir, progress);
    }

    /** The same from the usual places, silent. */
    public static TrainTest load(String name) {
        return load(name, null, Progress.NONE);
    }

    /** Says which files {@link #load} would read, without reading or downloading. */
    public static Location locate(String name, Path dataDir) {
        return standard().find(name, dataDir);
    }

    /** Compares the files that {@link #load} would read with the published SHA-256 sums: one status per file. */
    public static List<FileStatus> verify(String name, Path dataDir, Progress progress) {
        return standard().check(name, dataDir, progress);
    }

    /**
     * Downloads a data set to the subfolder {@code name} of the folder given, or else of
     * {@code $BASIN_DATA}, or to the cache. Files that are there
     * and have the published content are kept.
     *
     * @return where it now is
     */
    public static Location fetch(String name, Path dataDir, Progress progress) {
        return standard().obtain(name, dataDir, progress);
    }

    TrainTest read(String name, Path dataDir, Progress progress) {
        Location location = find(name, dataDir);
        return read(location.present() ? location : obtain(name, null, progress), progress);
    }

    Location find(String name, Path dataDir) {
        return locator.locate(Catalog.find(name), dataDir);
    }

    List<FileStatus> check(String name, Path dataDir, Progress progress) {
        return Verifier.verify(find(name, dataDir), progress);
    }

    Location obtain(String name, Path dataDir, Progress progress) {
        return obtain(Catalog.find(name), dataDir, progress);
    }

    /** Tests have entries of their own. */
    Location obtain(CatalogEntry entry, Path dataDir, Progress progress) {
        Location target = locator.target(entry, dataDir);
        for (RemoteFile file : entry.downloads()) download.fetch(entry, file, target.folder(), progress);
        return target;
    }

    private static TrainTest read(Location location, Progress progress) {
        CatalogEntry entry = location.entry();
        List<Path> files = location.files();
        try (Progress.Counter counter = progress.start("reading " + entry.name(), files.size(), "files")) {
            if (entry.format() == CatalogEntry.Format.IDX) {
                Dataset train = IdxFormat.read(files.get(0), files.get(1), entry.name() + " train", entry.classNames());
                counter.step(2);
                Dataset test = IdxFormat.read(files.get(2), files.get(3), entry.name() + " test", entry.classNames());
                counter.step(2);
                return pair(train, test, location);
            }
            TrainTest both = location.isArchive()
                    ? entry.cifar().readArchive(files.get(0), entry.name(), entry.classNames())
                    : entry.cifar().readFolder(location.folder(), entry.name(), entry.classNames());
            counter.step(files.size());
            return both;
        }
    }

    private static TrainTest pair(Dataset train, Dataset test, Location location) {
        if (train.height() != test.height() || train.width() != test.width()) {
            throw DataException.of(
                    location.folder().toString(),
                    "its training images are " + train.height() + " x " + train.width() + ", its test images "
                            + test.height() + " x " + test.width(),
                    "Use files of the same set");
        }
        return new TrainTest(train, test);
    }
}
