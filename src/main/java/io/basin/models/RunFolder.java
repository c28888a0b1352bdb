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
import java.util.stream.Collectors;
import java.util.stream.Stream;

/**
 * The models of a run, whichever folder of it is named: the whole comparison, a seed, a method.
 *
 * <p>A method that ends with one model has it in a file of its name, and the members beside it and in the folders of its parts are
 * what that was made of; else the members are the method's result. Checkpoints are no models; a curve's bends are no method's;
 * samples of a posterior count only where they are named one by one.
 */
public final class RunFolder {
    /** Takes the models of all methods together. */
    public static final String ALL = "all";

    private static final String SUFFIX = ".safetensors";
    private static final String MEMBER = "member-";
    private static final String SAMPLE = "sample-";
    private static final String BEND = "bend-";
    /** States of training, not models: of a net, and of a curve's bends. */
    private static final Set<String> STATES = Set.of("checkpoint" + SUFFIX, "curve" + SUFFIX);

    private RunFolder() {}

    /**
     * The models that {@code paths} name, in their order, each a weights file or a run's folder; within a folder in the order of
     * names, numbers by their value.
     *
     * @param methods whose models count in folders, or {@link #ALL}; empty: each folder must hold those of one
     * @throws FormatException naming a path that holds none
     * @throws IllegalArgumentException naming a folder that holds models of several methods, or none of those asked for
     */
    public static List<StoredModel> models(List<Path> paths, List<String> methods) {
        List<StoredModel> models = new ArrayList<>();
        for (Path path : paths) {
            if (Files.isDirectory(path)) models.addAll(chosen(path, methods));
            else models.add(StoredModel.of(path));
        }
        return models;
    }

    private static List<StoredModel> chosen(Path folder, List<String> methods) {
        List<StoredModel> results = results(folder);
        if (results.isEmpty()) {
            throw new FormatException(
                    folder.toString(),
                    "holds no method's models; name a run's folder, or weights files (a curve's bends too) one by one");
        }
        if (methods.contains(ALL)) return results;
        String there = results.stream()
                .map(m -> m.origin().method())
                .distinct()
                .sorted()
                .collect(Collectors.joining(", "));
        if (methods.isEmpty()) {
            if (!there.contains(",")) return results;
            throw new IllegalArgumentException(folder + " holds models of several methods (" + there
                    + "): name one with --method, or take them together with --method " + ALL);
        }
        List<StoredModel> chosen =
                results.stream().filter(m -> methods.stream().anyMatch(m::isOf)).toList();
        if (!chosen.isEmpty()) return chosen;
        throw new IllegalArgumentException(
                "--method: " + folder + " holds no models of " + String.join(", ", methods) + ", but of " + there);
    }

    private static List<StoredModel> results(Path folder) {
        List<Path> files = new ArrayList<>();
        collect(folder, files);
        List<StoredModel> all = files.stream().map(StoredModel::of).toList();
        List<StoredModel> whole =
                all.stream().filter(m -> !name(m.file()).startsWith(MEMBER)).toList();
        return all.stream()
                .filter(m -> whole.contains(m) || whole.stream().noneMatch(w -> isMadeOf(w, m)))
                .toList();
    }

    /** Whether {@code member} lies beside a model of its method, or in the folder of one of its parts. */
    private static boolean isMadeOf(StoredModel whole, StoredModel member) {
        Path folder = whole.file().getParent();
        Path at = member.file().getParent();
        boolean near = at.equals(folder) || folder.equals(at.getParent()) && name(at).startsWith("run-");
        return near && member.isOf(whole.origin().method());
    }

    private static void collect(Path folder, List<Path> found) {
        List<Path> entries = entries(folder);
        entries.stream()
                .filter(RunFolder::isModel)
                .filter(f -> !name(f).startsWith(SAMPLE))
                .filter(Files::isRegularFile)
                .forEach(found::add);
        for (Path entry : entries) if (Files.isDirectory(entry)) collect(entry, found);
    }

    private static boolean isModel(Path file) {
        return name(file).endsWith(SUFFIX)
                && !STATES.contains(name(file))
                && !name(file).startsWith(BEND);
    }

    /** What to name instead of {@code state}, the state of a run, for people. */
    static String insteadOf(Path state) {
        Path folder = state.toAbsolutePath().getParent();
        if (Files.exists(folder.resolve(BEND + 1 + SUFFIX))) {
            return "the curve's control points are " + BEND + "*" + SUFFIX + " beside it";
        }
        List<String> beside = entries(folder).stream()
                .filter(RunFolder::isModel)
                .map(RunFolder::name)
                .toList();
        List<String> whole = beside.stream()
                .filter(f -> !f.startsWith(MEMBER) && !f.startsWith(SAMPLE))
                .filter(f -> !f.equals(name(state)))
                .toList();
        if (!whole.isEmpty()) return "name " + String.join(" or ", whole) + " beside it";
        if (beside.stream().anyMatch(f -> f.startsWith(MEMBER))) {
            return "the models beside it are " + MEMBER + "*" + SUFFIX
                    + ", which 'basin ensemble' combines where they are the method's result";
        }
        return "no model is there yet: let the run go on to its end with --resume";
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
