package io.basin.train;

import io.basin.Nullable;
import io.basin.data.Dataset;
import io.basin.data.OwnData;
import io.basin.device.Augmentation;
import io.basin.device.Loss;
import io.basin.device.Shape;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.text.Closest;
import io.basin.text.Printable;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** The header of a weights file, apart from its {@link ModelCard}: how the net is built, what it predicts. */
public record ModelHeader(Path file, Map<String, String> header) {
    private static final String NET = "model";
    private static final String INPUT = "input";
    private static final String OUTPUTS = "outputs";
    private static final String LOSS = "loss_function";
    static final String CLASSES = "classes";
    /** The kind of samples: pixels, which are divided by 255 before they are normalised, or numbers, which are not. */
    public static final String SAMPLES = "samples";

    /** Names of a table's features, in order. */
    private static final String COLUMNS = "columns";

    public static final String PIXELS = "pixels";
    public static final String NUMBERS = "numbers";
    /** Numbers of a sample that a file may have asked for without weights of as many: pictures of the largest size. */
    private static final int MOST_BLANK = 4 << 20;

    private static final Map<String, Loss> LOSSES = Map.of(
            "cross_entropy", Loss.crossEntropy(0),
            "binary_cross_entropy", Loss.binaryCrossEntropy(),
            "squared_error", Loss.squaredError());

    /** @throws FormatException where it is not a safetensors file */
    public static ModelHeader of(Path file) {
        try (Safetensors in = Safetensors.open(file)) {
            return new ModelHeader(file, in.metadata());
        }
    }

    /** The entries that {@link #net}, {@link #loss} and {@link #classNames} read. */
    public static Map<String, String> of(Graph net, Loss loss, List<String> classNames) {
        Map<String, String> header = new LinkedHashMap<>();
        if (!net.source().isEmpty()) header.put(NET, net.source());
        header.put(INPUT, Json.line(net.input().shape().dims()));
        header.put(OUTPUTS, Integer.toString(net.output().shape().dim(0)));
        LOSSES.forEach((name, known) -> {
            if (known.equals(loss.plain())) header.put(LOSS, name);
        });
        if (!classNames.isEmpty()) header.put(CLASSES, Json.line(classNames));
        return header;
    }

    /** The entries for nets that take such samples: {@link #SAMPLES}, and those that {@link #columns} reads. */
    public static Map<String, String> samples(Dataset like) {
        Map<String, String> header = new LinkedHashMap<>(Map.of(SAMPLES, like.isFloat() ? NUMBERS : PIXELS));
        if (!like.columns().isEmpty()) header.put(COLUMNS, Json.line(like.columns()));
        return header;
    }

    /** The entries that {@link #reading} reads. */
    public static Map<String, String> of(Augmentation reading) {
        return Map.of("mean", Json.line(reading.mean()), "std", Json.line(reading.std()));
    }

    /** The entries that {@link #samples(Dataset)} makes. */
    Map<String, String> samples() {
        return only(SAMPLES, COLUMNS);
    }

    /** The net's inputs and predictions, as far as the file says them. */
    public Map<String, String> uses() {
        return only(INPUT, OUTPUTS, LOSS, CLASSES, SAMPLES, COLUMNS);
    }

    private Map<String, String> only(String... keys) {
        Map<String, String> some = new LinkedHashMap<>(header);
        some.keySet().retainAll(List.of(keys));
        return some;
    }

    /**
     * One sample of zeros, of the size and with the classes that the file's net was trained on.
     *
     * @param vector whether it is a vector of numbers and not a picture
     */
    public Dataset blank(boolean vector) {
        Shape input = input(MOST_BLANK);
        List<String> classes = classNames();
        if (input.rank() != 3 || classes.isEmpty()) {
            throw new FormatException(
                    file.toString(),
                    "does not say what its net takes and what the classes are called; name a file that 'train' or"
                            + " 'compare' wrote");
        }
        int size = (int) input.elements();
        return vector
                ? Dataset.of(new float[1][size], new int[1], classes).named(file.toString())
                : new Dataset(
                        file.toString(), new byte[size], new int[1], input.dim(1), input.dim(2), input.dim(0), classes);
    }

    /** The shape of the net's samples, of at most {@code most} numbers. */
    private Shape input(int most) {
        String said = header.getOrDefault(INPUT, "[]");
        float[] dims = Json.floats(said, file + ": " + INPUT);
        int[] extents = new int[dims.length];
        double size = 1;
        for (int i = 0; i < dims.length; i++) {
            extents[i] = (int) dims[i];
            size *= dims[i];
            if (extents[i] < 1 || extents[i] != dims[i] || size > most) {
                throw new FormatException(
                        file.toString(),
                        "its header's '" + INPUT + "' is " + Printable.of(said) + ", which is not a"
                                + " sample's size, or is too large: it is damaged, name another file");
            }
        }
        return Shape.of(extents);
    }

    /** Channels of a sample; {@code otherwise} where the file does not say. */
    public int channels(int otherwise) {
        return header.containsKey(INPUT) ? input(Integer.MAX_VALUE).dim(0) : otherwise;
    }

    /** Numbers that the net predicts of a sample; {@code otherwise} where the file does not say. */
    public int outputs(int otherwise) {
        String outputs = header.getOrDefault(OUTPUTS, Integer.toString(otherwise));
        if (outputs.matches("[1-9][0-9]{0,8}")) return Integer.parseInt(outputs);
        throw new FormatException(
                file.toString(),
                "its header's '" + OUTPUTS + "' is '" + Printable.of(outputs)
                        + "', not a count: it is damaged, name another file");
    }

    /** @throws FormatException where the file does not say how its net is built */
    public Graph net() {
        if (!header.containsKey(NET) || !header.containsKey(INPUT) || !header.containsKey(OUTPUTS)) {
            throw new FormatException(
                    file.toString(),
                    "does not say how its net is built: give the net, Model.load(device, file, net), or save a net that a public"
                            + " class implementing Supplier<Graph> builds: new Model(device, new MyNet())");
        }
        Shape input = input(Integer.MAX_VALUE);
        int outputs = outputs(0);
        try {
            return Nets.build(header.get(NET), input, outputs);
        } catch (IllegalArgumentException e) {
            String why = String.valueOf(e.getMessage()).replaceFirst("^`model`:? ", "");
            throw new FormatException(file.toString(), "names " + why, e);
        }
    }

    /** The net's loss; cross-entropy where the file does not say. */
    public Loss loss() {
        String name = header.getOrDefault(LOSS, "cross_entropy");
        Loss loss = LOSSES.get(name);
        if (loss == null) throw new FormatException(file.toString(), Closest.unknown("loss", name, LOSSES.keySet()));
        return loss;
    }

    ModelCard card() {
        return ModelCard.isDescribed(header) ? ModelCard.of(file.toString(), header) : ModelCard.NONE;
    }

    /** How samples are normalised; null where the file does not say. */
    @Nullable
    public Augmentation reading() {
        return ModelCard.reading(file.toString(), header);
    }

    /** Names of the classes; empty where the file does not say. */
    public List<String> classNames() {
        return names(CLASSES, OUTPUTS, header.getOrDefault(OUTPUTS, ""));
    }

    /** Names of the features of the table that the net was trained on, in order; empty where the file does not say. */
    public List<String> columns() {
        if (!header.containsKey(COLUMNS)) return List.of();
        return names(COLUMNS, INPUT, Long.toString(input(Integer.MAX_VALUE).elements()));
    }

    /** The same; of an older file, of the table that lies at its place, or at {@code moved} where that is not null. */
    public List<String> columns(@Nullable Path moved) {
        List<String> said = columns();
        String dataset = header.getOrDefault("dataset", "");
        if (!said.isEmpty() || !OwnData.isNamed(dataset)) return said;
        return OwnData.of(dataset).at(moved).columns();
    }

    /** @param count as many as {@code of} says; empty where the file does not say */
    private List<String> names(String key, String of, String count) {
        List<String> names = Json.texts(header.getOrDefault(key, "[]"), file + ": " + key);
        if (key.equals(CLASSES) && !Printable.is(String.join("", names))) {
            String why = "names classes with characters that cannot be shown, " + Printable.of(names.toString());
            throw new FormatException(file.toString(), why + ": name another file, or train with other names");
        }
        if (!names.isEmpty() && !count.isEmpty() && !count.equals(Integer.toString(names.size()))) {
            throw new FormatException(
                    file.toString(),
                    "its header names " + names.size() + " " + key + " for '" + of + "' " + Printable.of(count)
                            + ": it is damaged, name another file");
        }
        return List.copyOf(names);
    }
}
