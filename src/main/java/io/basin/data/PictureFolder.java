package io.basin.data;

import io.basin.Nullable;
import io.basin.device.Shape;
import io.basin.io.AtomicFile;
import io.basin.io.Dtype;
import io.basin.io.Folders;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.Notices;
import io.basin.io.Safetensors;
import io.basin.io.Sha256;
import io.basin.text.Printable;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.IntConsumer;
import java.util.function.Predicate;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * Reads a folder of pictures, one folder per class, as squares of one size.
 *
 * <p>The parts are its folders {@code train}, {@code val} and {@code test}, called so or almost, or it is one part itself. Pictures lie at any depth
 * below their class, in the order of their names. Where all of them are grey, so is the set.
 *
 * <p>Decoding takes minutes and hashing seconds, so decoded pictures are kept in a file of the cache that is named by the SHA-256
 * of all names and contents: whatever changes makes another file, and no copy is ever out of date.
 */
final class PictureFolder {
    /** Part of the cache's key: another decoder makes other pixels. */
    private static final String VERSION = "2";

    /** Names for the folder of a part, in any case; README teaches the first ones. */
    private static final Map<String, List<String>> PARTS = Map.of(
            "train", List.of("train", "training"),
            "val", List.of("val", "valid", "validation"),
            "test", List.of("test", "tests", "testing"));

    private static final Set<String> EXACT = Set.of("train", "val", "valid", "validation", "test");
    private static final List<String> ENDINGS = List.of("png", "jpg", "jpeg", "gif", "bmp");
    private static final int SHOWN = 20;
    private static final String KEEP = "Keep one of them here";
    private static final String OTHER = " files, which are not read: save them as PNG or JPEG if they are meant";
    private static final String BESIDE =
            "pictures beside the folders of the classes: move them into one if they are meant";
    private static final String NO_FILE =
            "names that lead to no file: broken links, or folders and pipes called as pictures are";

    /** One picture. {@code name}: of its file, from the folder on. */
    private record Entry(String part, int label, String name, Path file) {}

    private final Path folder;
    private final int size;
    private final boolean grey;
    private final boolean skipBad;
    private final Progress progress;
    private final List<String> classes = new ArrayList<>();
    private final List<Entry> entries = new ArrayList<>();
    private final Map<String, Path> parts = new LinkedHashMap<>();
    /** Reasons why files are left out, and how often. */
    private final Map<String, Integer> others = new TreeMap<>();

    /** @param size height and width of the samples */
    PictureFolder(Path folder, int size, boolean grey, boolean skipBad, Progress progress) {
        this.folder = folder;
        this.size = size;
        this.grey = grey;
        this.skipBad = skipBad;
        this.progress = progress;
    }

    /**
     * Reads all parts that there are.
     *
     * @param cache folder for decoded pictures
     * @return {@code train}, and {@code val} and {@code test} where there are such folders
     */
    Map<String, Dataset> read(Path cache) {
        list();
        if (entries.size() * 3L * size * size > Capped.MAX_ARRAY) {
            throw fault(
                    "its " + entries.size() + " pictures of " + size + " x " + size
                            + " take more than the 2 GiB that a data set may have",
                    "Choose a smaller `imageSize`");
        }
        Path kept = cache.resolve(key() + ".safetensors");
        Decoded decoded = kept(kept);
        if (decoded == null) {
            decoded = decode();
            keep(cache, kept, decoded);
        }
        if (!decoded.bad.isEmpty()) {
            if (!skipBad) throw fault(decoded.complaint(), "Mend or remove them, or leave them out with `skipBad`");
            Notices.once(folder + ": left out " + decoded.complaint());
        }
        return parts(decoded);
    }

    private DataException fault(String wrong, String remedy) {
        return DataException.of(folder.toString(), wrong, remedy);
    }

    /** @param bad what is wrong with files that cannot be read; their pixels are 0 */
    private record Decoded(byte[] pixels, int channels, Map<String, String> bad) {
        String complaint() {
            String said = bad.values().stream().limit(SHOWN).collect(Collectors.joining("; "));
            return bad.size() + (bad.size() == 1 ? " picture that" : " pictures that") + " cannot be read: " + said
                    + (bad.size() > SHOWN ? "; and " + (bad.size() - SHOWN) + " more" : "");
        }
    }

    private void list() {
        List<Path> children = classes(folder);
        for (String part : List.of("train", "val", "test")) findPart(part, children);
        if (!parts.isEmpty()) {
            requireClear(children);
            countBeside(folder);
        }
        Path root = parts.getOrDefault("train", folder);
        for (Path child : classes(root)) classes.add(name(child));
        if (classes.isEmpty()) {
            throw DataException.of(
                    root.toString(), "holds no folders", "Put the pictures of each class into a folder of its name");
        }
        parts.putIfAbsent("train", folder);
        parts.forEach(this::list);
        others.forEach(
                (what, count) -> Notices.once(folder + ": left out " + what.replaceFirst(":", " (" + count + "):")));
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }

    /** Of another name than usual such a folder may be a class, and is one where pictures and no folders lie in it. */
    private void findPart(String part, List<Path> children) {
        List<Path> found = children.stream()
                .filter(c -> Objects.requireNonNull(PARTS.get(part)).contains(name(c).toLowerCase(Locale.ROOT)))
                .filter(c -> EXACT.contains(name(c)) || !classes(c).isEmpty())
                .toList();
        if (found.isEmpty()) return;
        if (found.size() > 1) throw fault("holds " + names(found) + ", and one part alone can be '" + part + "'", KEEP);
        parts.put(part, found.get(0));
        if (!EXACT.contains(name(found.get(0)))) {
            Notices.note(folder + ": " + names(found) + " is read as its part '" + part + "'");
        }
    }

    private static String names(List<Path> files) {
        return files.stream().map(f -> "'" + Printable.of(name(f)) + "'").collect(Collectors.joining(", "));
    }

    /** Folders beside parts are either leftovers or classes, one of which has the name of a part. */
    private void requireClear(List<Path> children) {
        if (!parts.containsKey("train")) {
            throw fault("holds " + names(children) + " but no 'train'", "Put the training pictures there");
        }
        List<Path> beside =
                children.stream().filter(c -> !parts.containsValue(c)).toList();
        List<Path> classes = beside.stream()
                .filter(c -> !listed(c, Folders::list, PictureFolder::isPlain).isEmpty())
                .toList();
        if (!classes.isEmpty()) {
            throw fault(
                    "holds pictures in " + names(classes) + " beside " + names(List.copyOf(parts.values())),
                    "Rename a class that has a part's name, or move the other folders elsewhere");
        }
        if (!beside.isEmpty()) Notices.once(folder + ": left out the folders beside its parts: " + names(beside));
    }

    private void list(String part, Path root) {
        countBeside(root);
        for (Path child : classes(root)) {
            int label = classes.indexOf(child.getFileName().toString());
            if (label < 0) {
                throw DataException.of(
                        child.toString(),
                        "is of a class that the training part does not have",
                        "Classes there: " + String.join(", ", classes));
            }
            int before = entries.size();
            for (Path file : listed(child, Folders::walk, f -> isPicture(f, true))) {
                entries.add(new Entry(part, label, folder.relativize(file).toString(), file));
            }
            if (entries.size() == before && part.equals("train")) throw empty(child);
        }
        if (entries.stream().noneMatch(e -> e.part.equals(part))) throw empty(root);
    }

    private void countBeside(Path root) {
        for (Path file : listed(root, Folders::list, f -> !Files.isDirectory(f))) {
            if (isPicture(file, false)) others.merge(BESIDE, 1, Integer::sum);
        }
    }

    private static DataException empty(Path folder) {
        return DataException.of(
                folder.toString(), "holds no pictures that can be used", "Remove it, or put PNG or JPEG files there");
    }

    private static List<Path> classes(Path root) {
        return listed(
                root,
                Folders::list,
                p -> Files.isDirectory(p) && !p.getFileName().toString().startsWith("."));
    }

    private static List<Path> listed(Path root, Function<Path, List<Path>> how, Predicate<Path> which) {
        try {
            return how.apply(root).stream().filter(which).sorted().toList();
        } catch (UncheckedIOException e) {
            String why = Reason.of(Objects.requireNonNull(e.getCause()));
            throw DataException.of(root.toString(), "cannot be read (" + why + ")", "Name another folder", e);
        }
    }

    /** @param counted whether files of other kinds are counted as left out */
    private boolean isPicture(Path file, boolean counted) {
        String name = name(file);
        if (name.startsWith(".")) return false;
        if (isPlain(file)) return true;
        boolean broken = Files.isSymbolicLink(file) && !Files.exists(file);
        if (broken || isNamedSo(file)) others.merge(NO_FILE, 1, Integer::sum);
        else if (counted && Files.isRegularFile(file))
            others.merge(name.contains(".") ? "." + ending(file) + OTHER : "unnamed" + OTHER, 1, Integer::sum);
        return false;
    }

    private static boolean isPlain(Path file) {
        return isNamedSo(file) && Files.isRegularFile(file);
    }

    private static boolean isNamedSo(Path file) {
        return !name(file).startsWith(".") && ENDINGS.contains(ending(file));
    }

    private static String ending(Path file) {
        return name(file).substring(name(file).lastIndexOf('.') + 1).toLowerCase(Locale.ROOT);
    }

    private String key() {
        String[] sums = new String[entries.size()];
        all("reading " + folder.getFileName(), i -> {
            Entry entry = entries.get(i);
            try {
                sums[i] = entry.name + " " + Sha256.ofFile(entry.file);
            } catch (IOException e) {
                // Decoding will find the same, and list it with what else is wrong.
                sums[i] = entry.name + " cannot be read";
            }
        });
        return Sha256.of(VERSION + " " + size + " " + grey + "\n" + String.join("\n", sums));
    }

    /** Does {@code work} for every entry, on all cores. */
    private void all(String task, IntConsumer work) {
        try (Progress.Counter counter = progress.start(task, entries.size(), "pictures")) {
            IntStream.range(0, entries.size()).parallel().forEach(i -> {
                work.accept(i);
                synchronized (counter) {
                    counter.step(1);
                }
            });
        }
    }

    private Decoded decode() {
        int each = 3 * size * size;
        byte[] colours = new byte[entries.size() * each];
        Map<String, String> bad = new TreeMap<>();
        all("decoding " + folder.getFileName(), i -> {
            try {
                byte[] one = Picture.read(entries.get(i).file, Shape.of(3, size, size), false);
                System.arraycopy(one, 0, colours, i * each, each);
            } catch (FormatException | UncheckedIOException e) {
                synchronized (bad) {
                    bad.put(entries.get(i).name, String.valueOf(e.getMessage()));
                }
            }
        });
        boolean plain = grey || isGrey(colours);
        return new Decoded(plain ? Picture.luminance(colours) : colours, plain ? 1 : 3, bad);
    }

    private static boolean isGrey(byte[] colours) {
        for (int i = 0; i < colours.length; i += 3) {
            if (colours[i] != colours[i + 1] || colours[i] != colours[i + 2]) return false;
        }
        return true;
    }

    private void keep(Path cache, Path file, Decoded decoded) {
        try {
            Files.createDirectories(cache);
            AtomicFile.sweep(cache);
            Safetensors.writer()
                    .add(
                            "images",
                            Dtype.U8,
                            new long[] {entries.size(), size, size, decoded.channels},
                            ByteBuffer.wrap(decoded.pixels))
                    .metadata(Map.of("bad", Json.line(decoded.bad), OwnCache.OF, described()))
                    .write(file);
            OwnCache.prune(cache, OwnCache.MOST);
        } catch (IOException | UncheckedIOException e) {
            Notices.note("decoded pictures cannot be kept in " + cache + " (" + Reason.of(e)
                    + "): the next command decodes them again");
        }
    }

    private String described() {
        return folder + ", " + entries.size() + " pictures, " + size + " x " + size + (grey ? ", grey" : "");
    }

    /** Samples that were decoded before; null where they are missing or damaged. */
    private @Nullable Decoded kept(Path file) {
        if (!Files.isRegularFile(file)) return null;
        try (Safetensors in = Safetensors.open(file)) {
            Map<String, String> bad = new TreeMap<>();
            Json.parse(in.metadata().getOrDefault("bad", "{}"), file.toString())
                    .properties()
                    .forEach(e -> bad.put(e.getKey(), e.getValue().asText()));
            byte[] pixels = in.read("images").array();
            int channels = pixels.length / (entries.size() * size * size);
            OwnCache.use(file);
            return new Decoded(pixels, channels, bad);
        } catch (FormatException | UncheckedIOException e) {
            Notices.once(e.getMessage() + "; the pictures are decoded again");
            return null;
        }
    }

    private Map<String, Dataset> parts(Decoded decoded) {
        int each = size * size * decoded.channels;
        Map<String, Dataset> sets = new LinkedHashMap<>();
        for (String part : List.of("train", "val", "test")) {
            int[] used = IntStream.range(0, entries.size())
                    .filter(i -> entries.get(i).part.equals(part) && !decoded.bad.containsKey(entries.get(i).name))
                    .toArray();
            if (used.length == 0 && parts.containsKey(part)) throw empty(parts.get(part));
            if (used.length == 0) continue;
            byte[] pixels = new byte[used.length * each];
            for (int i = 0; i < used.length; i++) {
                System.arraycopy(decoded.pixels, used[i] * each, pixels, i * each, each);
            }
            int[] labels = Arrays.stream(used).map(i -> entries.get(i).label).toArray();
            sets.put(
                    part,
                    new Dataset(
                            folder.getFileName() + " " + part, pixels, labels, size, size, decoded.channels, classes));
        }
        return sets;
    }
}
