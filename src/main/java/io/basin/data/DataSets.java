package io.basin.data;

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
    private DataSets() {}

    /**
     * Reads a data set; downloads it to the cache first if it is nowhere and no folder is given.
     *
     * <p>Content is not compared with the published sums: a folder may hold the user's own images in the same format.
     */
    public static TrainTest load(String name, Path dataDir, Progress progress) {
        return standard().load(name, dataDir, progress);
    }

    /** Says which files {@link #load} would read, without reading or downloading. */
    public static Location locate(String name, Path dataDir) {
        return standard().locate(name, dataDir);
    }

    /** Compares the files that {@link #load} would read with the published SHA-256 sums: one status per file. */
    public static List<FileStatus> verify(String name, Path dataDir, Progress progress) {
        return standard().verify(name, dataDir, progress);
    }

    /**
     * Downloads a data set to the subfolder {@code name} of the folder given, or else of
     * {@code $BASIN_DATA}, or to the cache. Files that are there
     * and have the published content are kept.
     *
     * @return where it now is
     */
    public static Location fetch(String name, Path dataDir, Progress progress) {
        return standard().fetch(name, dataDir, progress);
    }

    private static DataStore standard() {
        return new DataStore(Locator.standard(), Download.standard());
    }
}
