package io.basin.data;

import java.nio.file.Path;
import java.util.List;

/**
 * Which files of a data set would be used.
 *
 * @param place why this folder
 * @param folder where the files are, or for {@link Place#NOWHERE} where a download would put them
 * @param files the files: those of the catalogue in its order, or the one archive; empty for {@link Place#NOWHERE}
 */
public record Location(CatalogEntry entry, Place place, Path folder, List<Path> files) {
    /** The places searched, in their order. */
    public enum Place {
        /** The folder that the user named. */
        DATA_DIR,
        /** {@code $BASIN_DATA}. */
        ENVIRONMENT,
        /** The operating system's packages. */
        SYSTEM,
        /** The cache, where downloads go. */
        CACHE,
        /** In none of them, and no folder was named. */
        NOWHERE
    }

    public Location {
        files = List.copyOf(files);
    }

    /** Whether the files exist. */
    public boolean present() {
        return place != Place.NOWHERE;
    }

    /** Whether the data set is here as its archive rather than as separate files. */
    boolean isArchive() {
        return entry.archived() && files.size() == 1;
    }
}
