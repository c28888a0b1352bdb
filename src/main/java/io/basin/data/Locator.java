package io.basin.data;

import io.basin.data.CatalogEntry.DataFile;
import io.basin.data.Location.Place;
import io.basin.io.UserFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;

/**
 * Finds a data set on this machine; reads no data and writes nothing.
 *
 * <p>A folder that the user named must hold the set: {@code --data-dir}, or else {@code $BASIN_DATA}. Only where neither is
 * named are the operating system's packages and the cache searched. A named folder may hold the files themselves or a
 * subfolder with the data set's name. {@code $BASIN_DATA} serves several data sets, and MNIST's file names are also those of
 * its successors, so there a folder must bear the data set's name: otherwise one set would be taken for another without a
 * word.
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
        return new Locator(System::getenv, Path.of("/usr/share/datasets"), UserFolder.cache());
    }

    /**
     * Finds the files of a data set.
     *
     * @param dataDir the folder that the user named, or null
     * @throws DataException if a folder was named, here or by the variable, and lacks files; the message names them
     */
    public Location locate(CatalogEntry entry, Path dataDir) {
        if (dataDir != null) {
            Path folder = named(dataDir);
            return require(entry, Place.DATA_DIR, "--data-dir", folder, folder.resolve(entry.name()), folder);
        }
        Path root = variable();
        if (root != null) {
            return require(entry, Place.ENVIRONMENT, "$" + VARIABLE, root, subfolder(root, entry));
        }
        return search(entry, Place.SYSTEM, systemRoot.resolve(entry.name()))
                .or(() -> search(entry, Place.CACHE, cacheRoot.resolve(entry.name())))
                .orElseGet(() -> new Location(entry, Place.NOWHERE, cacheRoot.resolve(entry.name()), List.of()));
    }

    /** Where a download of the data set goes: a subfolder of the named folder, or else of the cache. */
    Location target(CatalogEntry entry, Path dataDir) {
        Path root = variable();
        if (dataDir != null) return target(entry, Place.DATA_DIR, named(dataDir).resolve(entry.name()));
        if (root != null) return target(entry, Place.ENVIRONMENT, subfolder(root, entry));
        if (!cacheRoot.isAbsolute()) {
            throw new DataException("this user has no home folder to keep " + entry.name()
                    + " in: name a folder with --data-dir, or set " + UserFolder.CACHE_VARIABLE);
        }
        return target(entry, Place.CACHE, cacheRoot.resolve(entry.name()));
    }

    private static Location target(CatalogEntry entry, Place place, Path folder) {
        List<Path> files = entry.downloads().stream()
                .map(file -> folder.resolve(file.name()))
                .toList();
        return new Location(entry, place, folder, files);
    }

    private static Path named(Path dataDir) {
        return UserFolder.of("--data-dir", dataDir.toString());
    }

    private Path variable() {
        String value = environment.apply(VARIABLE);
        return value == null ? null : UserFolder.of("$" + VARIABLE, value);
    }

    private static Path subfolder(Path root, CatalogEntry entry) {
        return root.endsWith(entry.name()) ? root : root.resolve(entry.name());
    }

    /** The first of the places that holds the set; one that holds a piece of it is refused rather than passed over. */
    private static Location require(CatalogEntry entry, Place place, String source, Path folder, Path... places) {
        for (Path candidate : places) {
            Optional<Location> found = search(entry, place, candidate);
            if (found.isPresent()) return found.get();
            List<String> missing = missing(entry, candidate);
            if (missing.size() < entry.files().size()) {
                throw DataException.of(
                        source,
                        candidate + " holds a part of " + entry.name() + " only and lacks "
                                + String.join(", ", missing),
                        "Put what is missing there, or let 'basin data fetch " + entry.name()
                                + "' download the published set");
            }
        }
        throw DataException.of(
                source,
                "the folder " + folder + fault(folder) + " does not hold " + entry.name() + ". Looked in "
                        + String.join(
                                " and ", Stream.of(places).map(Path::toString).toList())
                        + " for " + entry.expectedFiles() + elsewhere(entry, folder),
                remedy(entry, source, folder));
    }

    private static String remedy(CatalogEntry entry, String source, Path folder) {
        boolean flag = !source.startsWith("$");
        return "Name another folder, put the files there ('basin data fetch " + entry.name()
                + (flag ? " --data-dir " + folder : "") + "' can), or "
                + (flag ? "leave " + source + " out" : "unset " + VARIABLE) + " to use or download a cached copy";
    }

    private static String fault(Path folder) {
        if (!Files.exists(folder)) return " does not exist, so it";
        if (!Files.isDirectory(folder)) return " is a file, so it";
        return Files.isReadable(folder) ? "" : " may not be read by this user, so it";
    }

    /** Where the set lies in a folder that does not hold it where it should: one level deeper, or not in a folder of its name. */
    private static String elsewhere(CatalogEntry entry, Path folder) {
        List<Path> near = new ArrayList<>(List.of(folder));
        try (Stream<Path> children = Files.list(folder)) {
            children.filter(Files::isDirectory).sorted().limit(100).forEach(child -> {
                near.add(child.resolve(entry.name()));
                near.add(child);
            });
        } catch (IOException e) {
            return "";
        }
        return near.stream()
                .filter(place -> search(entry, Place.DATA_DIR, place).isPresent())
                .findFirst()
                .map(place -> "; files of these names are in " + place + " (--data-dir " + place + " reads them)")
                .orElse("");
    }

    private static List<String> missing(CatalogEntry entry, Path folder) {
        return entry.files().stream()
                .filter(file -> present(entry, folder, file).isEmpty())
                .map(DataFile::name)
                .toList();
    }

    /** The file as it is or compressed. */
    private static Optional<Path> present(CatalogEntry entry, Path folder, DataFile file) {
        Path plain = folder.resolve(file.name());
        Path gzip = folder.resolve(file.name() + ".gz");
        boolean packed = !entry.archived() && Files.isRegularFile(gzip);
        if (!Files.isRegularFile(plain)) return packed ? Optional.of(gzip) : Optional.empty();
        if (packed && !Capped.sameContent(plain, gzip)) {
            throw DataException.of(
                    plain.toString(), "differs from " + gzip.getFileName() + " beside it", "Remove the one not meant");
        }
        return Optional.of(plain);
    }

    private static Optional<Location> search(CatalogEntry entry, Place place, Path folder) {
        List<Path> files = entry.files().stream()
                .flatMap(file -> present(entry, folder, file).stream())
                .toList();
        if (files.size() == entry.files().size()) {
            return Optional.of(new Location(entry, place, folder, files));
        }
        if (entry.archived() && files.isEmpty()) {
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
