package io.basin.data;

import io.basin.data.CatalogEntry.RemoteFile;
import java.nio.file.Path;
import java.util.List;

/**
 * Locates, downloads, checks and reads data sets, with its surroundings given to it.
 *
 * <p>{@link DataSets} is this with the real machine around it; tests give folders and servers of their own.
 */
public final class DataStore {
    private final Locator locator;
    private final Download download;

    public DataStore(Locator locator, Download download) {
        this.locator = locator;
        this.download = download;
    }

    /** See {@link DataSets#load}. */
    public TrainTest load(String name, Path dataDir, Progress progress) {
        Location location = locate(name, dataDir);
        return read(location.present() ? location : fetch(name, null, progress), progress);
    }

    /** See {@link DataSets#locate}. */
    public Location locate(String name, Path dataDir) {
        return locator.locate(Catalog.find(name), dataDir);
    }

    /** See {@link DataSets#verify}. */
    public List<FileStatus> verify(String name, Path dataDir, Progress progress) {
        return Verifier.verify(locate(name, dataDir), progress);
    }

    /** See {@link DataSets#fetch}. */
    public Location fetch(String name, Path dataDir, Progress progress) {
        CatalogEntry entry = Catalog.find(name);
        return fetch(entry, dataDir, progress);
    }

    /** Fetches what an entry lists; tests have entries of their own. */
    Location fetch(CatalogEntry entry, Path dataDir, Progress progress) {
        Location target = locator.target(entry, dataDir);
        for (RemoteFile file : entry.downloads()) {
            download.fetch(entry, file, target.folder(), progress);
        }
        return target;
    }

    private static TrainTest read(Location location, Progress progress) {
        CatalogEntry entry = location.entry();
        List<Path> files = location.files();
        try (Progress.Counter counter = progress.start("reading " + entry.name(), files.size(), "files")) {
            if (entry.format() == CatalogEntry.Format.IDX) {
                ImageSet train =
                        IdxFormat.read(files.get(0), files.get(1), entry.name() + " train", entry.classNames());
                counter.step(2);
                ImageSet test = IdxFormat.read(files.get(2), files.get(3), entry.name() + " test", entry.classNames());
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

    private static TrainTest pair(ImageSet train, ImageSet test, Location location) {
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
