package io.basin.data;

import io.basin.Nullable;
import io.basin.io.Disk;
import io.basin.io.Notices;
import io.basin.io.UserFolder;
import io.basin.text.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Data of the user's own: where they lie and how they are read.
 *
 * <p>Written as text, which is the name of the data set in the files of nets: {@code /home/me/birds?image-size=64&grey}. So a net's
 * file is enough to find its data again and to read them in the same way.
 *
 * @param path a folder of pictures with one folder per class ({@link PictureFolder}), a table or a folder of tables ({@link
 *     CsvFormat}), NumPy's arrays ({@link NumpyFormat}); absolute
 * @param imageSize height and width that pictures are scaled to
 * @param grey whether colours are read as their luminance
 * @param skipBad whether pictures that cannot be read are left out
 * @param classNames file with one name a line, in the order of the labels; null for the names in the data
 */
public record OwnData(
        Path path,
        int imageSize,
        boolean grey,
        boolean skipBad,
        @Nullable Path classNames) {
    /** Default height and width of samples. */
    public static final int USUAL_SIZE = 32;

    /** Largest height and width. */
    public static final int MOST_SIZE = 1024;

    /** As many classes a net may tell apart: their names stand in its file's header. */
    public static final int MOST_CLASSES = 1 << 16;

    private static final Pattern TEXT =
            Pattern.compile("(.*)\\?image-size=([0-9]{1,4})(&grey)?(&skip-bad)?(?:&class-names=(.*))?", Pattern.DOTALL);
    private static final String TABLE = "train.csv";
    /** One sample in so many is only measured on, where the data have no test part. */
    private static final int TEST_SHARE = 6;
    /** As many classes a message names. */
    private static final int SHOWN = 10;

    public OwnData {
        if (imageSize < 1 || imageSize > MOST_SIZE) {
            throw new IllegalArgumentException("`imageSize` must lie from 1 to " + MOST_SIZE + ", got " + imageSize);
        }
    }

    /** Pictures of the usual size, or arrays. */
    public OwnData(Path path) {
        this(path, USUAL_SIZE, false, false, null);
    }

    /** Whether {@code dataset} names data of the user's own: not a name of the catalogue, and a path by its form or because it exists. */
    public static boolean isNamed(String dataset) {
        if (Catalog.names().contains(dataset) || dataset.isBlank()) return false;
        boolean path = dataset.contains("/")
                || dataset.contains("\\")
                || TEXT.matcher(dataset).matches();
        return path || Files.exists(UserFolder.of("`dataset`", dataset));
    }

    /** Whether two names may mean the same data: of the user's own the content decides, wherever it lies. */
    public static boolean mayBeSame(String a, String b) {
        return a.equals(b) || isNamed(a) && isNamed(b);
    }

    /** From its text, or from a path alone. */
    public static OwnData of(String text) {
        Matcher m = TEXT.matcher(text);
        if (!m.matches()) return new OwnData(UserFolder.of("`dataset`", text));
        Path names = m.group(5) == null ? null : UserFolder.of("`classNames`", m.group(5));
        Path path = UserFolder.of("`dataset`", m.group(1));
        return new OwnData(path, Integer.parseInt(m.group(2)), m.group(3) != null, m.group(4) != null, names);
    }

    /** A data set's name in titles and folders of results: its name in the catalogue, or that of its folder or file. */
    public static String label(String dataset) {
        if (!isNamed(dataset)) return dataset;
        Path name = of(dataset).path.getFileName();
        return name == null ? "root" : name.toString().replaceAll("[^\\w.-]", "_");
    }

    /** Whether the samples are pictures of a folder. */
    public boolean isPictures() {
        return !isTable() && !ends(path, ".npz") && !holdsArrays();
    }

    /** Whether the samples are rows of a table. */
    public boolean isTable() {
        return ends(path, ".csv") || holds(TABLE);
    }

    private static boolean ends(Path file, String ending) {
        return file.toString().toLowerCase(Locale.ROOT).endsWith(ending);
    }

    /** Names of a table's features, in order; empty where it is not there, and of other data. */
    public List<String> columns() {
        Path table = ends(path, ".csv") ? path : path.resolve(TABLE);
        return Files.isRegularFile(table) ? CsvFormat.columns(table) : List.of();
    }

    /** Whether {@link #samples} reads files of this name. */
    public static boolean holdsSamples(Path file) {
        return Stream.of(".csv", ".npz", ".npy").anyMatch(ending -> ends(file, ending));
    }

    /**
     * Reads samples without labels, which need none: rows of a table or NumPy's arrays.
     *
     * @param columns of a table, in the order that the net takes; empty where unknown, for the file's order
     * @param like a set whose samples have the size and the kind that the net takes
     * @return samples labelled 0
     */
    public static Dataset samples(Path file, List<String> columns, Dataset like) {
        if (!ends(file, ".csv")) return NumpyFormat.samples(file, like);
        if (like.isFloat() && like.height() * like.width() == 1) return CsvFormat.samples(file, columns, like);
        throw DataException.of(file.toString(), "is a table, and the net takes pictures", "Name pictures");
    }

    private boolean holds(String name) {
        return Files.isRegularFile(path.resolve(name));
    }

    private boolean holdsArrays() {
        return Stream.of("y_train.npy", "train_labels.npy", "y.npy", "labels.npy")
                .anyMatch(this::holds);
    }

    /** The same data at another place. */
    public OwnData at(@Nullable Path other) {
        return other == null
                ? this
                : new OwnData(UserFolder.of("`dataDir`", other.toString()), imageSize, grey, skipBad, classNames);
    }

    /** The text that {@link #of} reads. */
    @Override
    public String toString() {
        if (classNames == null && !isPictures()) return path.toString();
        return path + "?image-size=" + imageSize + (grey ? "&grey" : "") + (skipBad ? "&skip-bad" : "")
                + (classNames == null ? "" : "&class-names=" + classNames);
    }

    /**
     * Reads the data. Where they have no test part, a stratified sixth of the training part becomes it, always the same one.
     *
     * @param cache folder for decoded pictures
     */
    TrainTest read(Path cache, Progress progress) {
        Map<String, Dataset> parts = parts(cache, progress);
        parts.replaceAll((part, set) -> named(set));
        Dataset train = Objects.requireNonNull(parts.get("train"));
        requireFit(train.classNames(), path.toString());
        parts.forEach((part, set) -> requireClasses(part, set, train));
        Dataset validation = parts.get("val");
        Dataset test = parts.get("test");
        if (test != null) return new TrainTest(toString(), train, validation, test);
        Split cut = Split.share(train, TEST_SHARE, 0);
        return new TrainTest(
                toString(), cut.train(), validation, cut.validation().named(train.name() + " (test part)"));
    }

    /** A single class teaches nothing, and a class without samples is neither learned nor measured: probably a mistake. */
    private void requireClasses(String part, Dataset set, Dataset train) {
        if (!set.sample().equals(train.sample())) {
            throw DataException.of(
                    path.toString(),
                    "its part '" + part + "' has samples " + set.sample() + ", its training part " + train.sample(),
                    "Save both in one shape");
        }
        int[] counts = set.classCounts();
        List<String> absent = IntStream.range(0, counts.length)
                .filter(k -> counts[k] == 0)
                .mapToObj(k -> "'" + Printable.of(set.classNames().get(k)) + "'")
                .toList();
        if (set == train && counts.length - absent.size() < 2) {
            throw DataException.of(
                    path.toString(),
                    "its training part has samples of a single class, and there is nothing to tell apart",
                    "Add samples of another class, or name the folder whose folders are the classes");
        }
        if (absent.isEmpty()) return;
        Notices.once(path + ": its part '" + part + "' has no sample of " + (absent.size() == 1 ? "class " : "classes ")
                + String.join(", ", absent.subList(0, Math.min(absent.size(), SHOWN)))
                + (absent.size() > SHOWN ? " and " + (absent.size() - SHOWN) + " more" : ""));
    }

    private Map<String, Dataset> parts(Path cache, Progress progress) {
        try {
            return read(cache, Files.isDirectory(path), progress);
        } catch (OutOfMemoryError e) {
            if (!String.valueOf(e.getMessage()).matches("Java heap space|GC overhead.*")) throw e;
            throw DataException.of(
                    path.toString(),
                    "takes more memory than Java has (" + e.getMessage() + ")",
                    "Start with more, java -Xmx8g -jar ...");
        }
    }

    private Map<String, Dataset> read(Path cache, boolean folder, Progress progress) {
        if (folder && isPictures()) return new PictureFolder(path, imageSize, grey, skipBad, progress).read(cache);
        String label = label(path.toString());
        if (folder && holds(TABLE)) return CsvFormat.read(tables(), label);
        if (ends(path, ".csv") && holds("")) return CsvFormat.read(Map.of("train", path), label);
        if (folder || ends(path, ".npz") && holds("")) return NumpyFormat.read(path, names());
        if (!Files.exists(path)) {
            throw DataException.of(
                    path.toString(),
                    "is not there",
                    "Check the path; if the data of a run have moved, name where they are now with `dataDir`");
        }
        throw DataException.of(
                path.toString(),
                "is neither a folder of pictures nor a .csv or .npz file",
                "Name a folder that has one folder per class, a table, an archive of numpy.savez, or a folder of x_train.npy,"
                        + " y_train.npy and the like");
    }

    private Map<String, Path> tables() {
        Map<String, Path> tables = new LinkedHashMap<>(Map.of("train", path.resolve(TABLE)));
        for (String part : List.of("val", "test")) {
            if (holds(part + ".csv")) tables.put(part, path.resolve(part + ".csv"));
        }
        return tables;
    }

    private Dataset named(Dataset set) {
        List<String> names = names();
        if (names == null) return set;
        if (names.size() == set.classes()) return set.classNamed(names);
        throw DataException.of(
                String.valueOf(classNames),
                "has " + names.size() + (names.size() == 1 ? " name" : " names") + " for the " + set.classes()
                        + " classes of " + path,
                "Write one name a line, in the order of the classes: " + String.join(", ", set.classNames()));
    }

    private @Nullable List<String> names() {
        return classNames == null ? null : names(classNames);
    }

    /** Names of classes end up on terminals, in tables and in other programs' files. */
    private static void requireFit(List<String> classes, String where) {
        for (String name : classes) {
            if (Printable.is(name)) continue;
            throw DataException.of(
                    where,
                    "calls a class '" + Printable.of(name) + "', with a tab, a line break or another character that"
                            + " cannot be shown where ? stands",
                    "Give it a name of letters, digits and blanks");
        }
    }

    /** Names of classes, one a line. */
    public static List<String> names(Path file) {
        List<String> names = Disk.lines(file).stream()
                // Windows' editors write a byte order mark.
                .map(n -> n.replaceFirst("^\uFEFF", "").strip())
                .filter(n -> !n.isEmpty())
                .toList();
        requireFit(names, file.toString());
        Set<String> seen = new HashSet<>();
        for (String name : names) {
            if (seen.add(name)) continue;
            throw DataException.of(
                    file.toString(),
                    "names two classes '" + Printable.of(name) + "'",
                    "Give each class a name of its own");
        }
        return names;
    }
}
