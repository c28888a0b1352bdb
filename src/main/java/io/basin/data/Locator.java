package io.basin.data;

import io.basin.data.CatalogEntry.DataFile;
import io.basin.data.Location.Place;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/**
 * Finds a data set on this machine; reads and writes nothing.
 *
 * <p>Order: the folder that the user named, which must hold it; {@code $BASIN_DATA}; the operating system's packages;
 * the cache. A named folder may hold the files themselves or a subfolder with the data set's name.
 * {@code $BASIN_DATA} serves several data sets, and MNIST's file names are also those of its successors, so there a
 * folder must bear the data set's name: otherwise one set would be taken for another without a word.
 */
public final class Locator {
    /** Environment variable with the user's folder of data sets. */
    public static final String VARIABLE = "BASIN_DATA";

    private final UnaryOperator<String> environment;
    private final Path systemRoot;
    private final Path cacheRoot;

    /**
     * @param environment the value of an environment variable, or null
     * @param systemRoot where packages put data sets, one folder each
     * @param cacheRoot where downloads go, one folder each
     */
    public Locator(UnaryOperator<String> environment, Path systemRoot, Path cacheRoot) {
        this.environment = environment;
        this.systemRoot = systemRoot;
        this.cacheRoot = cacheRoot;
    }

    /** The places of this machine and user. */
    public static Locator standard() {
        return new Locator(
                System::getenv,
                Path.of("/usr/share/datasets"),
                Path.of(System.getProperty("user.home"), ".cache", "basin"));
    }

    /**
     * Finds the files of a data set.
     *
     * @param dataDir the folder that the user named, or null
     * @throws DataException if a folder was named and lacks the files
     */
    public Location locate(CatalogEntry entry, Path dataDir) {
        if (dataDir != null) {
            return locateIn(entry, dataDir)
                    .orElseThrow(() -> new DataException("the folder " + dataDir
                            + (Files.isDirectory(dataDir) ? "" : " does not exist, so it")
                            + " does not hold " + entry.name()
                            + ". Expected in it or in its subfolder " + entry.name() + ": " + entry.expectedFiles()
                            + ". Name another folder, put the files there (\"data fetch\" can), or leave the folder"
                            + " out to use or download a cached copy"));
        }
        String variable = environment.apply(VARIABLE);
        if (variable != null && !variable.isBlank()) {
            Path root = Path.of(variable);
            boolean named = root.endsWith(entry.name());
            Optional<Location> found = search(entry, Place.ENVIRONMENT, named ? root : root.resolve(entry.name()));
            if (found.isPresent()) {
                return found.get();
            }
        }
        return search(entry, Place.SYSTEM, systemRoot.resolve(entry.name()))
                .or(() -> search(entry, Place.CACHE, downloadFolder(entry, null)))
                .orElseGet(() -> new Location(entry, Place.NOWHERE, downloadFolder(entry, null), List.of()));
    }

    /** Where a download of the data set goes: a subfolder of the named folder, or of the cache. */
    Path downloadFolder(CatalogEntry entry, Path dataDir) {
        return (dataDir != null ? dataDir : cacheRoot).resolve(entry.name());
    }

    /** Looks only in the named folder and its subfolder with the data set's name. */
    Optional<Location> locateIn(CatalogEntry entry, Path dataDir) {
        return search(entry, Place.DATA_DIR, dataDir.resolve(entry.name()))
                .or(() -> search(entry, Place.DATA_DIR, dataDir));
    }

    private static Optional<Location> search(CatalogEntry entry, Place place, Path folder) {
        List<Path> files = new ArrayList<>();
        for (DataFile file : entry.files()) {
            Path plain = folder.resolve(file.name());
            Path gzip = folder.resolve(file.name() + ".gz");
            if (Files.isRegularFile(plain)) {
                files.add(plain);
            } else if (!entry.archived() && Files.isRegularFile(gzip)) {
                files.add(gzip);
            }
        }
        if (files.size() == entry.files().size()) {
            return Optional.of(new Location(entry, place, folder, files));
        }
        if (entry.archived()) {
            Path archive = folder.resolve(entry.downloads().get(0).name());
            if (Files.isRegularFile(archive)) {
                return Optional.of(new Location(entry, place, folder, List.of(archive)));
            }
            // The folder that the archive unpacks to.
            Path unpacked = folder.resolve(
                    entry.format() == CatalogEntry.Format.CIFAR10 ? "cifar-10-batches-bin" : "cifar-100-binary");
            if (Files.isDirectory(unpacked) && !folder.endsWith(unpacked.getFileName())) {
                return search(entry, place, unpacked);
            }
        }
        return Optional.empty();
    }
}
