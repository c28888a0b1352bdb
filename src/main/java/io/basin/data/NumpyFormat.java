package io.basin.data;

import io.basin.Nullable;
import io.basin.device.Shape;
import io.basin.io.Folders;
import io.basin.io.Half;
import io.basin.text.Printable;
import io.basin.text.Reason;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.CheckedInputStream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Reads NumPy's arrays: an {@code .npz} archive, or a folder of {@code .npy} files, by the names of the arrays.
 *
 * <p>Samples are {@code x_train}, {@code train_images}, {@code x} or {@code images}, labels {@code y_train}, {@code train_labels},
 * {@code y} or {@code labels}, and alike for {@code val} and {@code test}; {@code X} may stand for {@code x}, as in scikit-learn.
 * Samples are (N, D), (N, H, W), (N, H, W, C) or (N, C, H, W), of which the dimension up to 4 is taken for C; uint8 stays bytes,
 * other numbers become float32. Labels are whole numbers from 0, (N) or (N, 1). Both orders of NumPy, C and Fortran, are read.
 *
 * <p>Arrays of objects are pickles, which are programs: they are refused. The sizes in a header are compared with the length of
 * the file before anything is allocated.
 */
final class NumpyFormat {
    private static final String REMEDY = "Save the arrays anew with numpy.savez";
    private static final String NUMBERED = "Number the classes from 0 as integers";
    private static final String TYPES = "Save samples as uint8 or float32, and n" + NUMBERED.substring(1) + " of int64";
    private static final String NAMES =
            "Name arrays x_train and y_train, or x and y, X and y, or images and labels, and x_test and y_test";
    private static final Pattern HEADER = Pattern.compile(
            "\\s*\\{\\s*'descr':\\s*'([<>|=])([a-zA-Z])([0-9]+)',\\s*'fortran_order':\\s*(True|False),\\s*"
                    + "'shape':\\s*\\(([0-9, ]*)\\),?\\s*\\}\\s*");
    private static final int MOST_HEADER = 1 << 16;
    private static final int MOST_CHANNELS = 4;
    /** As many arrays a message names. */
    private static final int SHOWN = 10;

    private final Path file;
    private final @Nullable ZipFile archive;
    private final @Nullable List<String> names;

    private NumpyFormat(Path file, @Nullable ZipFile archive, @Nullable List<String> names) {
        this.file = file;
        this.archive = archive;
        this.names = names;
    }

    /**
     * Reads all parts that there are.
     *
     * @param file the archive, or a folder
     * @param names of the labels 0, 1, ...; null for their numbers
     */
    static Map<String, Dataset> read(Path file, @Nullable List<String> names) {
        if (Files.isDirectory(file)) return new NumpyFormat(file, null, names).parts();
        try (ZipFile archive = new ZipFile(file.toFile())) {
            return new NumpyFormat(file, archive, names).parts();
        } catch (IOException | IllegalArgumentException e) {
            throw DataException.of(file.toString(), "is not a NumPy archive (" + Reason.of(e) + ")", REMEDY, e);
        }
    }

    /**
     * Reads samples alone, of an archive's test part before those of its training part, or from a single array.
     *
     * @param like a set whose sizes and kind of numbers they must have
     * @return samples labelled 0
     */
    static Dataset samples(Path file, Dataset like) {
        Path folder = file.toAbsolutePath().getParent();
        String name = String.valueOf(file.getFileName());
        if (name.endsWith(".npy") && folder != null) {
            String stem = name.substring(0, name.length() - 4);
            return new NumpyFormat(folder, null, null).array(stem, a -> a.samples(like));
        }
        try (ZipFile archive = new ZipFile(file.toFile())) {
            NumpyFormat arrays = new NumpyFormat(file, archive, null);
            String test = arrays.key("test", "x", "images");
            String key = test != null ? test : arrays.key("train", "x", "images");
            if (key != null) return arrays.array(key, a -> a.samples(like));
        } catch (IOException | IllegalArgumentException e) {
            throw DataException.of(file.toString(), "is not a NumPy archive (" + Reason.of(e) + ")", REMEDY, e);
        }
        throw DataException.of(file.toString(), "holds no samples", "Name the array x, X, images or x_test");
    }

    private Map<String, Dataset> parts() {
        Map<String, int[]> labels = new LinkedHashMap<>();
        for (String part : List.of("train", "val", "test")) {
            String key = key(part, "y", "labels");
            if (key != null) labels.put(part, array(key, NumpyFormat::labels));
        }
        if (!labels.containsKey("train")) {
            throw DataException.of(file.toString(), "holds no labels of a training part" + among(), NAMES);
        }
        int[] all = labels.values().stream().flatMapToInt(Arrays::stream).toArray();
        List<String> classes = names != null ? names : classes(all);
        Map<String, Dataset> parts = new LinkedHashMap<>();
        labels.forEach((part, y) -> {
            String key = key(part, "x", "images");
            if (key == null)
                throw DataException.of(file.toString(), "holds labels of " + part + " but no samples" + among(), NAMES);
            parts.put(part, array(key, a -> a.samples(y, classes)).named(file.getFileName() + " " + part));
        });
        return parts;
    }

    private List<String> classes(int[] labels) {
        try {
            return SampleArrays.classes(labels);
        } catch (IllegalArgumentException e) {
            throw new DataException(file + ": " + e.getMessage(), e);
        }
    }

    /** The name under which there is such an array; null where there is none. */
    private @Nullable String key(String part, String letter, String word) {
        List<String> known = new ArrayList<>(List.of(letter + "_" + part, part + "_" + word));
        if (letter.equals("x")) known.add("X_" + part);
        if (part.equals("train")) known.addAll(List.of(letter, word));
        if (part.equals("train") && letter.equals("x")) known.add("X");
        return known.stream().filter(this::holds).findFirst().orElse(null);
    }

    private boolean holds(String key) {
        return archive != null
                ? archive.getEntry(key + ".npy") != null
                : Files.isRegularFile(file.resolve(key + ".npy"));
    }

    /** The names that there are, for a message. */
    private String among() {
        Stream<String> all = archive != null
                ? archive.stream().map(ZipEntry::getName)
                : Folders.list(file).stream().map(f -> String.valueOf(f.getFileName()));
        List<String> arrays = all.filter(n -> n.endsWith(".npy"))
                .map(n -> Printable.of(n.substring(0, n.length() - 4)))
                .sorted()
                .toList();
        if (arrays.isEmpty()) return "";
        return " among " + String.join(", ", arrays.subList(0, Math.min(arrays.size(), SHOWN)))
                + (arrays.size() > SHOWN ? " and " + (arrays.size() - SHOWN) + " more" : "");
    }

    private interface Use<T> {
        T of(Array array) throws IOException;
    }

    private <T> T array(String key, Use<T> use) {
        String name = archive != null
                ? file + " (" + key + ")"
                : file.resolve(key + ".npy").toString();
        try {
            ZipEntry entry = archive == null ? null : archive.getEntry(key + ".npy");
            long stored = Files.size(archive == null ? file.resolve(key + ".npy") : file);
            long length = entry == null ? stored : entry.getSize();
            if (length > Capped.mostContent(stored, entry != null) || length < 0) {
                throw DataException.of(name, "cannot have the length that the archive says", REMEDY);
            }
            try (InputStream in = archive == null
                    ? Files.newInputStream(file.resolve(key + ".npy"))
                    : archive.getInputStream(entry)) {
                CheckedInputStream whole = new CheckedInputStream(in, new CRC32());
                BufferedInputStream content = new BufferedInputStream(whole, 1 << 16);
                T made = use.of(new Array(name, content, length, Capped.allowance(stored)));
                boolean ended = content.read() < 0;
                if (entry == null || ended && whole.getChecksum().getValue() == entry.getCrc()) return made;
                throw DataException.of(name, "is damaged: its CRC or its length is another", REMEDY);
            }
        } catch (IOException e) {
            throw DataException.of(name, "cannot be read (" + Reason.of(e) + ")", REMEDY, e);
        }
    }

    private static int[] labels(Array array) throws IOException {
        boolean flat = array.shape.length == 1 || array.shape.length == 2 && array.shape[1] == 1;
        if (!flat) {
            throw array.fault(
                    "is of the shape " + Arrays.toString(array.shape) + ", labels are (N) or (N, 1)",
                    NUMBERED + ", as y.argmax(axis=1) does of one-hot labels");
        }
        int[] labels = new int[array.count];
        for (int i = 0; i < labels.length; i++) {
            double value = array.next();
            labels[i] = (int) value;
            if (value < 0 || labels[i] != value)
                throw array.fault("label " + i + " is " + value + ", not a whole number from 0", NUMBERED);
        }
        return labels;
    }

    /** An array whose header has been read and proved possible; its numbers follow. */
    private static final class Array {
        private final String name;
        private final InputStream in;
        private final int[] shape;
        private final int count;
        private final boolean fortran;
        private final char kind;
        private final ByteBuffer item;

        Array(String name, InputStream in, long length, long allowance) throws IOException {
            this.name = name;
            this.in = in;
            ByteBuffer start = ByteBuffer.wrap(in.readNBytes(10)).order(ByteOrder.LITTLE_ENDIAN);
            if (start.limit() < 10 || start.getLong(0) << 16 != 0x59_50_4D_55_4E_93L << 16)
                throw fault("is not a NumPy array");
            boolean first = start.get(6) == 1;
            long header = start.getShort(8) & 0xFFFF;
            if (!first)
                header |= (long) ByteBuffer.wrap(whole(2))
                                .order(ByteOrder.LITTLE_ENDIAN)
                                .getShort()
                        << 16;
            if (header < 0 || header > MOST_HEADER) throw fault("has a damaged header");
            Matcher m = HEADER.matcher(new String(whole((int) header), StandardCharsets.ISO_8859_1));
            if (!m.matches())
                throw fault(
                        "is of a type that is not read, such as objects or records, or of a shape that is none", TYPES);
            fortran = m.group(4).equals("True");
            kind = m.group(2).charAt(0);
            int bytes = m.group(3).length() > 1 ? 0 : Integer.parseInt(m.group(3));
            if ("uif".indexOf(kind) < 0 || bytes < (kind == 'f' ? 2 : 1) || 8 % bytes != 0) {
                throw fault("is of a type that is not read, " + kind + m.group(3), TYPES);
            }
            item = ByteBuffer.allocate(bytes)
                    .order(m.group(1).equals(">") ? ByteOrder.BIG_ENDIAN : ByteOrder.LITTLE_ENDIAN);
            shape = shape(m.group(5));
            long product = 1;
            for (int size : shape) product = product > Capped.MAX_ARRAY ? product : product * size;
            long rest = length - (first ? 10 : 12) - header;
            if (product > Capped.MAX_ARRAY || product * bytes != rest) {
                throw fault("announces " + Arrays.toString(shape) + " of " + bytes + " bytes each and has " + rest
                        + " bytes");
            }
            count = (int) product;
            if ((isBytes() ? 1L : 4L) * count > allowance)
                throw fault("holds far more than its archive's length: save it uncompressed");
        }

        private int[] shape(String text) {
            String[] sizes = text.isBlank() ? new String[0] : text.strip().split(" *, *");
            int[] all = new int[sizes.length];
            for (int i = 0; i < all.length; i++) {
                if (!sizes[i].matches("[1-9][0-9]{0,9}"))
                    throw fault("has a size of '" + Printable.of(sizes[i]) + "'", "Save at least one sample");
                long size = Long.parseLong(sizes[i]);
                if (size > Capped.MAX_ARRAY) throw fault("has a size of " + size);
                all[i] = (int) size;
            }
            return all;
        }

        private boolean isBytes() {
            return kind == 'u' && item.limit() == 1;
        }

        private byte[] whole(int length) throws IOException {
            byte[] bytes = in.readNBytes(length);
            if (bytes.length < length) throw fault("is cut short");
            return bytes;
        }

        double next() throws IOException {
            if (in.readNBytes(item.array(), 0, item.limit()) < item.limit()) throw fault("is cut short");
            return switch (item.limit()) {
                case 1 -> kind == 'u' ? item.get(0) & 0xFF : item.get(0);
                case 2 ->
                    kind == 'f'
                            ? Half.ofF16(item.getShort(0))
                            : kind == 'u' ? item.getShort(0) & 0xFFFF : item.getShort(0);
                case 4 -> kind == 'f' ? item.getFloat(0) : kind == 'u' ? item.getInt(0) & 0xFFFFFFFFL : item.getInt(0);
                default -> kind == 'f' ? item.getDouble(0) : item.getLong(0);
            };
        }

        Dataset samples(Dataset like) throws IOException {
            Shape sample = sample();
            if (sample.equals(like.sample()) && isBytes() != like.isFloat()) {
                return samples(new int[shape[0]], like.classNames());
            }
            throw fault(
                    "holds samples of " + sample + (isBytes() ? " in uint8" : " in other numbers than uint8")
                            + ", and the net takes " + like.sample() + (like.isFloat() ? " in others" : " in uint8"),
                    "Save them in the shape and type of the net's own data");
        }

        Dataset samples(int[] labels, List<String> classes) throws IOException {
            Shape sample = sample();
            if (shape[0] != labels.length) {
                throw fault(
                        "has " + shape[0] + " samples and " + labels.length + " labels",
                        "Save one label for each sample");
            }
            int largest = Arrays.stream(labels).max().orElse(0);
            if (largest >= classes.size()) {
                throw fault(
                        "has a label " + largest + ", and `classNames` ends at " + (classes.size() - 1),
                        "Write a name for each class, one a line");
            }
            boolean planes = shape.length == 4 && shape[3] > MOST_CHANNELS;
            if (isBytes()) {
                byte[] pixels = bytes();
                return new Dataset(
                        "own",
                        planes ? SampleArrays.channelsLast(pixels, sample) : pixels,
                        labels,
                        sample.dim(1),
                        sample.dim(2),
                        sample.dim(0),
                        classes);
            }
            float[] values = new float[count];
            for (int i = 0; i < count; i++) {
                int at = at(i);
                values[at] = (float) next();
                if (Float.isFinite(values[at])) continue;
                throw fault(
                        "number " + at % (count / shape[0]) + " of sample " + at / (count / shape[0])
                                + " is not finite in float32",
                        "Replace or drop what is not finite");
            }
            return Dataset.labelled(
                    planes ? SampleArrays.channelsLast(values, sample) : values, labels, sample, classes);
        }

        private byte[] bytes() throws IOException {
            byte[] stored = whole(count);
            if (!fortran) return stored;
            byte[] moved = new byte[count];
            for (int i = 0; i < count; i++) moved[at(i)] = stored[i];
            return moved;
        }

        /** The place in C order, whose last index runs first, of the number stored as the {@code i}th. */
        private int at(int i) {
            if (!fortran) return i;
            int at = 0;
            int stride = count;
            int rest = i;
            for (int size : shape) {
                stride /= size;
                at += rest % size * stride;
                rest /= size;
            }
            return at;
        }

        /** (C, H, W). */
        private Shape sample() {
            if (shape.length == 2) return Shape.of(shape[1], 1, 1);
            if (shape.length == 3) return Shape.of(1, shape[1], shape[2]);
            if (shape.length == 4 && shape[3] <= MOST_CHANNELS) return Shape.of(shape[3], shape[1], shape[2]);
            if (shape.length == 4 && shape[1] <= MOST_CHANNELS) return Shape.of(shape[1], shape[2], shape[3]);
            throw fault(
                    "is of the shape " + Arrays.toString(shape)
                            + ", samples are (N, D), (N, H, W), (N, H, W, C) or (N, C, H, W) of 1 to 4 channels",
                    "Reshape them to one of these");
        }

        private DataException fault(String wrong) {
            return fault(wrong, REMEDY);
        }

        private DataException fault(String wrong, String remedy) {
            return DataException.of(name, wrong, remedy);
        }
    }
}
