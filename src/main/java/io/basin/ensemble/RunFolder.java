package io.basin.ensemble;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.Nullable;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.Sha256;
import io.basin.text.Closest;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.stream.Collectors;

/**
 * The models of a run, whichever folder of it is named: the whole comparison, a seed, a method.
 *
 * <p>A method that ends with one model has it in a file of its name, and the members beside it and in the folders of its parts are
 * what that was made of; else the members are the method's result. Checkpoints are not models; a curve's bends belong to no method;
 * samples of a posterior count only where they are named one by one.
 */
public final class RunFolder {
    /** Takes the models of all methods together. */
    public static final String ALL = "all";

    /** Results of a finished group of methods, and the SHA-256 of its files under {@link #FILES}. */
    public static final String SCORES = "scores.json";

    /** A field of {@link #SCORES}: sums by the files' names. */
    public static final String FILES = "files";

    private static final String CONFIG = "config.json";

    private RunFolder() {}

    /**
     * The models that {@code paths} name, in their order, each a weights file or a run's folder; within a folder in the order of
     * names, numbers by their value.
     *
     * @param methods whose models count in folders, or {@link #ALL}; empty: each folder must hold those of one
     */
    public static List<ModelFile> models(List<Path> paths, List<String> methods) {
        List<ModelFile> models = new ArrayList<>();
        for (Path path : paths) {
            if (Files.isDirectory(path)) models.addAll(chosen(path, methods));
            else models.add(ModelFile.of(path));
        }
        return models;
    }

    private static List<ModelFile> chosen(Path folder, List<String> methods) {
        List<ModelFile> results = results(folder);
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
                    + "): name one with `methods`, or take them together with `methods` " + ALL);
        }
        List<ModelFile> chosen =
                results.stream().filter(m -> methods.stream().anyMatch(m::isOf)).toList();
        if (!chosen.isEmpty()) return chosen;
        List<String> held = List.of(there.split(", "));
        throw new IllegalArgumentException("`methods`: " + folder + " holds no models of " + String.join(", ", methods)
                + ", but of " + there + Closest.hint(methods.get(0), held));
    }

    private static List<ModelFile> results(Path folder) {
        List<Path> files = new ArrayList<>();
        collect(folder, files);
        requireAsMeasured(files);
        List<ModelFile> all = files.stream().map(ModelFile::of).toList();
        List<ModelFile> whole = all.stream()
                .filter(m -> !RunFiles.name(m.file()).startsWith(RunFiles.MEMBER))
                .toList();
        return all.stream()
                .filter(m -> whole.contains(m) || whole.stream().noneMatch(w -> isMadeOf(w, m)))
                .toList();
    }

    /** The files of finished runs are those that were measured, all of them. */
    private static void requireAsMeasured(List<Path> models) {
        Map<Path, Set<Path>> groups = new LinkedHashMap<>();
        for (Path model : models) {
            Path file = model.toAbsolutePath().normalize();
            Path group = group(file);
            if (group != null)
                groups.computeIfAbsent(group, g -> new HashSet<>()).add(file);
        }
        groups.forEach((group, there) -> {
            // An older version's is a list, without sums.
            if (Json.read(group.resolve(SCORES)).isArray()) return;
            Set<Path> named = new HashSet<>();
            for (Map.Entry<String, JsonNode> entry :
                    Json.unseal(group.resolve(SCORES)).path(FILES).properties()) {
                Path file = group.resolve(entry.getKey());
                if (!RunFiles.isModel(file)) continue;
                named.add(file);
                requireSame(file, entry.getValue().asText());
            }
            there.stream().filter(f -> !named.contains(f)).findFirst().ifPresent(stray -> {
                throw new FormatException(
                        stray.toString(),
                        "does not belong to the run that ended in " + group
                                + ": move it elsewhere, or name files one by one");
            });
        });
    }

    private static void requireSame(Path file, String sum) {
        String remedy = "; restore it from a copy, or name files one by one";
        if (!Files.isRegularFile(file)) {
            throw new FormatException(file.toString(), "is missing, though its run ended with it" + remedy);
        }
        if (Sha256.of(file).equals(sum)) return;
        throw new FormatException(file.toString(), "is damaged or was changed since its run ended" + remedy);
    }

    /**
     * The folder of the finished methods that a file, by its absolute path, belongs to, its own or that of their parts; null for files of no run.
     */
    private static @Nullable Path group(Path file) {
        Path at = Objects.requireNonNull(file.getParent());
        Path above = at.getParent();
        for (Path folder : new Path[] {at, above}) {
            if (folder != null && Files.exists(folder.resolve(SCORES))) return folder;
        }
        for (int up = 0; above != null && up < 3; above = above.getParent(), up++) {
            if (!Files.exists(above.resolve(CONFIG))) continue;
            throw new FormatException(
                    file.toString(),
                    "is not the result of a method that has ended: let the run in " + above
                            + " go on to its end with `resume`, or name files one by one");
        }
        return null;
    }

    /** Whether {@code member} lies beside a model of its method, or in the folder of one of its parts. */
    private static boolean isMadeOf(ModelFile whole, ModelFile member) {
        Path folder = whole.file().getParent();
        Path at = member.file().getParent();
        boolean near = Objects.equals(at, folder)
                || at != null
                        && Objects.equals(folder, at.getParent())
                        && RunFiles.name(at).startsWith("run-");
        return near && member.isOf(whole.origin().method());
    }

    private static void collect(Path folder, List<Path> found) {
        List<Path> entries = RunFiles.entries(folder);
        entries.stream()
                .filter(RunFiles::isModel)
                .filter(f -> !RunFiles.name(f).startsWith(RunFiles.SAMPLE))
                .filter(Files::isRegularFile)
                .forEach(found::add);
        for (Path entry : entries) if (Files.isDirectory(entry)) collect(entry, found);
    }
}
