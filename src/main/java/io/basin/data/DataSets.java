package io.basin.data;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.data.CatalogEntry.DataFile;
import io.basin.data.CatalogEntry.RemoteFile;
import io.basin.data.Location.FileStatus;
import io.basin.data.Location.Place;
import io.basin.io.UserFolder;
import io.basin.text.Require;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The data sets of {@link Catalog} by name, on this machine.
 *
 * <p>A folder that the user named must hold the set: the one given, or else {@code $BASIN_DATA}. Where neither is named, it is
 * looked for in {@code /usr/share/datasets}, then in {@code $BASIN_CACHE} or {@code ~/.cache/basin}, and downloaded to there. A
 * named folder may hold the files themselves or a subfolder with the data set's name. {@code $BASIN_DATA} serves several data
 * sets, and MNIST's file names are also those of its successors, so there a folder must bear the data set's name: otherwise one
 * set would be taken for another without a word.
 *
 * <p>The folder argument is null where the user named none. Every method throws a {@link DataException} whose message
 * says what is wrong and what to do.
 */
@Api
public final class DataSets {
    /** Environment variable with the user's folder of data sets. */
    public static final String VARIABLE = "BASIN_DATA";

    private final UnaryOperator<String> environment;
    private final Path systemRoot;
    private final Path cacheRoot;
    private final Download download;

    /**
     * With surroundings given to it: tests have folders and servers of their own.
     *
     * @param environment the value of an environment variable, or null
     * @param systemRoot where packages put data sets, one folder each
     * @param cacheRoot where downloads go, one folder each
     */
    DataSets(UnaryOperator<String> environment, Path systemRoot, Path cacheRoot, Download download) {
        this.environment = environment;
        this.systemRoot = systemRoot;
        this.cacheRoot = cacheRoot;
        this.download = download;
    }

    private static DataSets standard() {
        Path system = Path.of("/usr/share/datasets");
        return new DataSets(System::getenv, system, UserFolder.cache(), Download.standard());
    }

    /**
     * Reads a data set; downloads it to the cache first if it is nowhere and no folder is given.
     *
     * <p>A name that is a path, or the text of {@link OwnData}, is data of the user's own; {@code dataDir} is then where they are
     * now.
     *
     * <p>Content is not compared with the published sums: a folder may hold the user's own images in the same format.
     */
    public static TrainTest load(String name, @Nullable Path dataDir, Progress progress) {
        return standard().read(name, dataDir, Require.given("progress", progress));
    }

    /** The same from the usual places, silent. */
    public static TrainTest load(String name) {
        return load(name, null, Progress.NONE);
    }

    /** Says which files {@link #load} would read, without reading or downloading. */
    public static Location locate(String name, @Nullable Path dataDir) {
        return standard().find(name, dataDir);
    }

    /** Compares the files that {@link #load} would read with the published SHA-256 sums: one status per file. */
    public static List<FileStatus> verify(String name, @Nullable Path dataDir, Progress progress) {
        Require.given("progress", progress);
        return standard().find(name, dataDir).verify(progress);
    }

    /**
     * Downloads a data set to the subfolder {@code name} of the folder given, or else of {@code $BASIN_DATA}, or to the cache.
     * Files that are there and have the published content are kept.
     *
     * @return where it now is
     */
    public static Location fetch(String name, @Nullable Path dataDir, Progress progress) {
        Require.given("progress", progress);
        return standard().obtain(Catalog.find(name), dataDir, progress);
    }

    TrainTest read(String name, @Nullable Path dataDir, Progress progress) {
        if (OwnData.isNamed(Require.given("name", name)))
            return OwnData.of(name).at(dataDir).read(OwnCache.in(cacheRoot), progress);
        Location location = find(name, dataDir);
        return (location.present() ? location : obtain(location.entry(), null, progress)).read(progress);
    }

    Location find(String name, @Nullable Path dataDir) {
        return find(Catalog.find(name), dataDir);
    }

    /** Tests have entries of their own. */
    Location find(CatalogEntry entry, @Nullable Path dataDir) {
        if (dataDir != null) {
            Path folder = named(dataDir);
            return require(entry, Place.DATA_DIR, "`dataDir`", folder, folder.resolve(entry.name()), folder);
        }
        Path root = variable();
        if (root != null) return require(entry, Place.ENVIRONMENT, "$" + VARIABLE, root, subfolder(root, entry));
        Path cached = cacheRoot.resolve(entry.name());
        return search(entry, Place.SYSTEM, systemRoot.resolve(entry.name()))
                .or(() -> search(entry, Place.CACHE, cached))
                .orElseGet(() -> new Location(entry, Place.NOWHERE, cached, List.of()));
    }

    Location obtain(CatalogEntry entry, @Nullable Path dataDir, Progress progress) {
        Location target = target(entry, dataDir);
        for (RemoteFile file : entry.downloads()) download.fetch(entry, file, target.folder(), progress);
        return target;
    }

    /** The folder for a download of the data set: below the named folder, or else below the cache. */
    private Location target(CatalogEntry entry, @Nullable Path dataDir) {
        Path root = variable();
        if (dataDir != null) return target(entry, Place.DATA_DIR, named(dataDir).resolve(entry.name()));
        if (root != null) return target(entry, Place.ENVIRONMENT, subfolder(root, entry));
        if (cacheRoot.isAbsolute()) return target(entry, Place.CACHE, cacheRoot.resolve(entry.name()));
        throw new DataException("this user has no home folder to keep " + entry.name()
                + " in: name a folder with `dataDir`, or set " + UserFolder.CACHE_VARIABLE);
    }

    private static Location target(CatalogEntry entry, Place place, Path folder) {
        List<Path> files = entry.downloads().stream()
                .map(file -> folder.resolve(file.name()))
                .toList();
        return new Location(entry, place, folder, files);
    }

    private static Path named(Path dataDir) {
        return UserFolder.of("`dataDir`", dataDir.toString());
    }

    private @Nullable Path variable() {
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
                        + Arrays.stream(places).map(Path::toString).collect(Collectors.joining(" and "))
                        + " for " + entry.expectedFiles() + elsewhere(entry, folder),
                remedy(entry, source, folder));
    }

    private static String remedy(CatalogEntry entry, String source, Path folder) {
        boolean flag = !source.startsWith("$");
        return "Name another folder, put the files there ('basin data fetch " + entry.name()
                + (flag ? " `dataDir` " + folder : "") + "' can), or "
                + (flag ? "leave " + source + " out" : "unset " + VARIABLE) + " to use or download a cached copy";
    }

    private static String fault(Path folder) {
        if (!Files.exists(folder)) return " does not exist, so it";
        if (!Files.isDirectory(folder)) return " is a file, so it";
        return Files.isReadable(folder) ? "" : " may not be read by this user, so it";
    }

    /** The set's place in a folder that does not hold it directly: one level deeper, or not in a folder of its name. */
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
                .map(place -> "; files of these names are in " + place + " (`dataDir` " + place + " reads them)")
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
        if (files.size() == entry.files().size()) return Optional.of(new Location(entry, place, folder, files));
        if (!entry.archived() || !files.isEmpty()) return Optional.empty();
        Path archive = folder.resolve(entry.downloads().get(0).name());
        if (Files.isRegularFile(archive)) return Optional.of(new Location(entry, place, folder, List.of(archive)));
        // The folder that the archive unpacks to.
        boolean ten = entry.format() == CatalogEntry.Format.CIFAR10;
        Path unpacked = folder.resolve(ten ? "cifar-10-batches-bin" : "cifar-100-binary");
        boolean deeper = Files.isDirectory(unpacked) && !folder.endsWith(unpacked.getFileName());
        return deeper ? search(entry, place, unpacked) : Optional.empty();
    }
}
