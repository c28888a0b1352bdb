package io.basin.ensemble;

import io.basin.io.Folders;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.List;
import java.util.Objects;
import java.util.Set;

/** How the files of a run are called. */
final class RunFiles {
    private static final String SUFFIX = ".safetensors";
    static final String MEMBER = "member-";
    static final String SAMPLE = "sample-";
    private static final String BEND = "bend-";
    /** States of training, not models: of a net, and of a curve's bends. */
    private static final Set<String> STATES = Set.of("checkpoint" + SUFFIX, "curve" + SUFFIX);

    private RunFiles() {}

    static boolean isModel(Path file) {
        return name(file).endsWith(SUFFIX)
                && !STATES.contains(name(file))
                && !name(file).startsWith(BEND);
    }

    /** For people: the file to name instead of {@code state}, the state of a run. */
    static String insteadOf(Path state) {
        Path folder = Objects.requireNonNull(state.toAbsolutePath().getParent());
        if (Files.exists(folder.resolve(BEND + 1 + SUFFIX))) {
            return "the curve's control points are " + BEND + "*" + SUFFIX + " beside it";
        }
        List<String> beside = entries(folder).stream()
                .filter(RunFiles::isModel)
                .map(RunFiles::name)
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
        return "no model is there yet: let the run go on to its end with `resume`";
    }

    static List<Path> entries(Path folder) {
        return Folders.list(folder).stream()
                .sorted(Comparator.comparing(RunFiles::key))
                .toList();
    }

    static String name(Path file) {
        return file.getFileName().toString();
    }

    /** The name with its numbers padded, so that member-9 comes before member-10. */
    private static String key(Path file) {
        return java.util.regex.Pattern.compile("\\d+")
                .matcher(name(file))
                .replaceAll(m -> "0".repeat(Math.max(0, 12 - m.group().length())) + m.group());
    }
}
