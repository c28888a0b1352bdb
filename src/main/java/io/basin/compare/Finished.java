package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.JsonLines;
import io.basin.io.Notices;
import io.basin.io.Sha256;
import io.basin.text.Reason;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * {@code scores.json} of a finished group: its results, and the SHA-256 of every file of the group, so that a comparison which
 * resumes notices whether they are still what was measured.
 */
final class Finished {
    private static final String SCORES = "scores.json";
    private static final String RESULTS = "results";
    private static final String FILES = "files";
    private static final List<String> KINDS = List.of(".safetensors", ".json", ".jsonl");

    private Finished() {}

    /** Writes the last file of a group; all others are in {@code folder}. */
    static void write(Path folder, List<Result> results) {
        Map<String, String> sums = new TreeMap<>();
        try (Stream<Path> all = Files.walk(folder)) {
            for (Path file : all.filter(Finished::counts).toList()) {
                String name = folder.relativize(file).toString().replace('\\', '/');
                sums.put(name, sum(file));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": cannot be read (" + Reason.of(e) + ")", e);
        }
        Json.seal(folder.resolve(SCORES), Map.of(RESULTS, results, FILES, sums));
    }

    private static boolean counts(Path file) {
        String name = file.getFileName().toString();
        return Files.isRegularFile(file)
                && !name.startsWith(".")
                && !name.equals(SCORES)
                && KINDS.stream().anyMatch(name::endsWith);
    }

    /** Times in metrics are left out: those of two equal runs differ. */
    private static String sum(Path file) throws IOException {
        return file.toString().endsWith(".jsonl") ? JsonLines.sha256(file) : Sha256.ofFile(file);
    }

    /**
     * The results of a finished group; none where it is not finished or lacks a file that its training makes again without
     * training: weights and evidence.
     *
     * @throws FormatException naming a file of the group that is damaged or was changed, or one that only training makes
     */
    static Optional<List<Result>> read(Path folder) {
        Path scores = folder.resolve(SCORES);
        if (!Files.exists(scores)) return Optional.empty();
        if (Json.read(scores).isArray()) {
            Notices.once(scores + " names no SHA-256 of the run's files, so damage to them goes unnoticed: an older"
                    + " version wrote it");
            return Optional.of(Result.read(scores, Json.read(scores)));
        }
        ObjectNode root = Json.unseal(scores);
        Path missing = null;
        for (Map.Entry<String, JsonNode> entry : root.path(FILES).properties()) {
            Path file = folder.resolve(entry.getKey());
            if (Files.isRegularFile(file)) {
                requireSame(file, entry.getValue().asText(), folder);
                continue;
            }
            if (isTrained(file)) throw unlike(file, "is missing, though its run ended with it", folder);
            missing = file;
        }
        if (missing == null) return Optional.of(Result.read(scores, root.path(RESULTS)));
        Notices.once(missing + " is missing and is made again");
        return Optional.empty();
    }

    private static boolean isTrained(Path file) {
        String name = file.getFileName().toString();
        return name.startsWith("member-") || name.startsWith("checkpoint") || name.endsWith(".jsonl");
    }

    private static FormatException unlike(Path file, String what, Path folder) {
        return new FormatException(
                file.toString(),
                what + "; restore it from a copy, or delete the folder " + folder + " to train it again");
    }

    private static void requireSame(Path file, String expected, Path folder) {
        try {
            if (sum(file).equals(expected)) return;
        } catch (IOException e) {
            throw new UncheckedIOException(file + ": cannot be read (" + Reason.of(e) + ")", e);
        }
        throw unlike(file, "is damaged or was changed since its run ended: its SHA-256 is another", folder);
    }
}
