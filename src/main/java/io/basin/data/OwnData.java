package io.basin.data;

import io.basin.Nullable;
import io.basin.io.UserFolder;
import io.basin.text.Reason;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
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
    /** Height and width of samples where nobody says them. */
    public static final int USUAL_SIZE = 32;

    /** Largest height and width. */
    public static final int MOST_SIZE = 1024;

    private static final Pattern TEXT =
            Pattern.compile("(.*)\\?image-size=([0-9]{1,4})(&grey)?(&skip-bad)?(?:&class-names=(.*))?", Pattern.DOTALL);
    private static final String TABLE = "train.csv";
    /** One sample in so many is only measured on, where the data have no test part. */
    private static final int TEST_SHARE = 6;

    public OwnData {
        if (imageSize < 1 || imageSize > MOST_SIZE) {
            throw new IllegalArgumentException("`imageSize` must lie from 1 to " + MOST_SIZE + ", got " + imageSize);
        }
    }

    /** Pictures of the usual size, or arrays. */
    public OwnData(Path path) {
        this(path, USUAL_SIZE, false, false, null);
    }

    /** Whether {@code dataset} names data of the user's own: no name of the catalogue, and a path that is one or is there. */
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

    /** What titles and folders of results call a data set: its name in the catalogue, or that of its folder or file. */
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

    /** Whether {@code file} is, by its name, what {@link #samples} reads. */
    public static boolean holdsSamples(Path file) {
        return Stream.of(".csv", ".npz", ".npy").anyMatch(ending -> ends(file, ending));
    }

    /**
     * Reads samples without labels, which need none: rows of a table or NumPy's arrays.
     *
     * @param columns of a table, in the order that the net takes; empty where nobody knows it, for that of the file
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
        Dataset validation = parts.get("val");
        Dataset test = parts.get("test");
        if (test != null) return new TrainTest(toString(), train, validation, test);
        Split cut = Split.share(train, TEST_SHARE, 0);
        return new TrainTest(
                toString(), cut.train(), validation, cut.validation().named(train.name() + " (test part)"));
    }

    private Map<String, Dataset> parts(Path cache, Progress progress) {
        boolean folder = Files.isDirectory(path);
        if (folder && isPictures()) return new PictureFolder(path, imageSize, grey, skipBad, progress).read(cache);
        String label = label(path.toString());
        if (folder && holds(TABLE)) return CsvFormat.read(tables(), label);
        if (ends(path, ".csv") && holds("")) return CsvFormat.read(Map.of("train", path), label);
        if (folder || ends(path, ".npz") && holds("")) return NumpyFormat.read(path, names());
        if (!Files.exists(path)) {
            throw DataException.of(
                    path.toString(),
                    "is not there",
                    "Name the folder or file that now holds these data with `dataDir`");
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
                "has " + names.size() + " names for the " + set.classes() + " classes of " + path,
                "Write one name a line, in the order of the classes: " + String.join(", ", set.classNames()));
    }

    private @Nullable List<String> names() {
        if (classNames == null) return null;
        try {
            return Files.readAllLines(classNames, StandardCharsets.UTF_8).stream()
                    .map(String::strip)
                    .filter(n -> !n.isEmpty())
                    .toList();
        } catch (IOException e) {
            throw DataException.of(
                    classNames.toString(), "cannot be read (" + Reason.of(e) + ")", "Name a text file in UTF-8", e);
        }
    }
}
