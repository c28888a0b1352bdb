package io.basin.models;

import io.basin.io.FormatException;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * The models of a run, whichever folder of it is named: the whole comparison, a seed, a method.
 *
 * <p>A method that ends with one model has it in a file of its name, and the members beside it are what that was made of; else the
 * members are the method's result. Checkpoints are no models; samples of a posterior count only where they are named one by one.
 */
public final class RunFolder {
    private static final String SUFFIX = ".safetensors";
    private static final String MEMBER = "member-";
    private static final String SAMPLE = "sample-";
    /** States of training, not models: of a net, and of a curve's bends. */
    private static final Set<String> STATES = Set.of("checkpoint" + SUFFIX, "curve" + SUFFIX);

    private RunFolder() {}

    /**
     * The models that {@code paths} name, in their order, each a weights file or a run's folder; within a folder in the order of
     * names, numbers by their value.
     *
     * @throws FormatException naming a path that holds none
     */
    public static List<StoredModel> models(List<Path> paths) {
        List<StoredModel> models = new ArrayList<>();
        for (Path path : paths) {
            if (!Files.isDirectory(path)) {
                models.add(StoredModel.of(path));
                continue;
            }
            List<Path> found = new ArrayList<>();
            collect(path, found);
            if (found.isEmpty()) {
                throw new FormatException(path.toString(), "holds no weights; name a run's folder or a weights file");
            }
            found.forEach(file -> models.add(StoredModel.of(file)));
        }
        return models;
    }

    private static void collect(Path folder, List<Path> found) {
        List<Path> entries = entries(folder);
        List<Path> weights = entries.stream()
                .filter(f -> name(f).endsWith(SUFFIX) && !STATES.contains(name(f)))
                .filter(f -> !name(f).startsWith(SAMPLE))
                .filter(Files::isRegularFile)
                .toList();
        List<Path> whole =
                weights.stream().filter(f -> !name(f).startsWith(MEMBER)).toList();
        found.addAll(whole.isEmpty() ? weights : whole);
        // The parts of a method whose models were made into one.
        if (!whole.isEmpty()) return;
        for (Path entry : entries) if (Files.isDirectory(entry)) collect(entry, found);
    }

    private static List<Path> entries(Path folder) {
        try (Stream<Path> entries = Files.list(folder)) {
            return entries.sorted(Comparator.comparing(RunFolder::key)).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be read (" + Reason.of(e) + ")", e);
        }
    }

    private static String name(Path file) {
        return file.getFileName().toString();
    }

    /** The name with its numbers padded, so that member-9 comes before member-10. */
    private static String key(Path file) {
        return java.util.regex.Pattern.compile("\\d+")
                .matcher(name(file))
                .replaceAll(m -> "0".repeat(Math.max(0, 12 - m.group().length())) + m.group());
    }
}
