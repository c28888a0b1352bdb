package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.data.Dataset;
import io.basin.ensemble.RunFolder;
import io.basin.io.Folders;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.JsonLines;
import io.basin.io.Notices;
import io.basin.io.Sha256;
import io.basin.report.Extras;
import io.basin.text.Reason;
import io.basin.train.Difference;
import io.basin.train.Trainer;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;

/**
 * A finished group's folder: {@code evidence.json} holds its checks and probes; {@code scores.json} its results, and the SHA-256 of
 * every file of the group, so that a comparison which resumes notices whether they are still what was measured.
 */
final class Finished {
    private static final String EXTRAS = "evidence.json";
    private static final String REMEDY = "it is damaged; delete it and scores.json beside it to have both made again";
    private static final String RESULTS = "results";
    private static final String RUN = "run";
    private static final List<String> KINDS = List.of(".safetensors", ".json", ".jsonl");

    private static final Path CHECKPOINT = Trainer.checkpoint(Path.of(""));

    private Finished() {}

    /** Writes the last files of a group; all others are in {@code folder}. {@code identity} is all that decides its results. */
    static void write(Path folder, TestEvaluation.Outcome outcome, String identity, Options options) {
        writeExtras(folder, outcome.evidence());
        Map<String, String> sums = new TreeMap<>();
        for (Path file : files(folder)) {
            if (isCheckpoint(file) && !options.keepsCheckpoints()) continue;
            sums.put(name(folder, file), sum(file));
        }
        Json.seal(
                folder.resolve(RunFolder.SCORES),
                Map.of(RUN, identity, RESULTS, outcome.results(), RunFolder.FILES, sums));
        if (!options.keepsCheckpoints()) drop(folder, sums.keySet());
    }

    private static List<Path> files(Path folder) {
        return Folders.walk(folder).stream().filter(Finished::counts).toList();
    }

    private static String name(Path folder, Path file) {
        return folder.relativize(file).toString().replace('\\', '/');
    }

    private static boolean isCheckpoint(Path file) {
        return file.endsWith(CHECKPOINT);
    }

    /** Deletes the checkpoints of a finished group but for those of {@code named}, which its scores count on. */
    private static void drop(Path folder, Set<String> named) {
        try {
            for (Path file : files(folder)) {
                if (isCheckpoint(file) && !named.contains(name(folder, file))) Files.delete(file);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(folder + ": its checkpoints cannot be deleted (" + Reason.of(e) + ")", e);
        }
    }

    static void writeExtras(Path folder, Extras extras) {
        Json.write(folder.resolve(EXTRAS), extras);
    }

    /** Nothing where there is no such file: it is younger than the scores. */
    static Extras readExtras(Path folder) {
        Path file = folder.resolve(EXTRAS);
        if (!Files.exists(file)) return Extras.NONE;
        try {
            return Json.as(Json.read(file, REMEDY), Extras.class);
        } catch (IllegalArgumentException e) {
            throw new FormatException(file.toString(), "is not a list of checks: " + REMEDY, e);
        }
    }

    private static boolean counts(Path file) {
        String name = file.getFileName().toString();
        return Files.isRegularFile(file)
                && !name.startsWith(".")
                && !name.equals(RunFolder.SCORES)
                && KINDS.stream().anyMatch(name::endsWith);
    }

    /** Times in metrics are left out: those of two equal runs differ. */
    private static String sum(Path file) {
        return file.toString().endsWith(".jsonl") ? JsonLines.sha256(file) : Sha256.of(file);
    }

    /** The results of a finished group; none where they lack an answer that {@code options} ask for, and as {@link #scores} says. */
    static Optional<TestEvaluation.Outcome> read(Path folder, String identity, Options options) {
        Optional<List<MethodScore>> scores = scores(folder, identity, options);
        if (scores.isEmpty()) return Optional.empty();
        Extras extras = readExtras(folder);
        Dataset set = options.outside();
        boolean answers = (!options.corruptions() || !extras.corrupted().isEmpty())
                && (set == null
                        || extras.outside().stream().anyMatch(o -> o.set().equals(set.name())));
        if (!answers && files(folder).stream().noneMatch(Finished::isCheckpoint)) {
            Notices.note(folder + " is trained again for what is asked of it now: its checkpoints were not kept");
        }
        return answers ? Optional.of(new TestEvaluation.Outcome(scores.get(), extras)) : Optional.empty();
    }

    /**
     * The results of a finished group; none where it is not finished or lacks a file that its training makes again without
     * training: weights and evidence.
     */
    private static Optional<List<MethodScore>> scores(Path folder, String identity, Options options) {
        Path scores = folder.resolve(RunFolder.SCORES);
        if (!Files.exists(scores)) return Optional.empty();
        if (Json.read(scores).isArray()) {
            Notices.once(scores + " names no SHA-256 of the run's files, so damage to them goes unnoticed: an older"
                    + " version wrote it");
            return Optional.of(MethodScore.read(scores, Json.read(scores)));
        }
        ObjectNode root = Json.unseal(scores);
        Difference.requireNone(scores, root.path(RUN).asText(), identity);
        Path missing = null;
        Set<String> named = new HashSet<>();
        for (Map.Entry<String, JsonNode> entry : root.path(RunFolder.FILES).properties()) {
            named.add(entry.getKey());
            Path file = folder.resolve(entry.getKey());
            if (Files.isRegularFile(file)) {
                requireSame(file, entry.getValue().asText(), folder);
                continue;
            }
            if (isTrained(file)) throw unlike(file, "is missing, though its run ended with it", folder);
            missing = file;
        }
        if (missing == null) {
            // A run may have been killed before they were dropped; older versions' scores count on them.
            if (!options.keepsCheckpoints()) drop(folder, named);
            return Optional.of(MethodScore.read(scores, root.path(RESULTS)));
        }
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
        if (sum(file).equals(expected)) return;
        throw unlike(file, "is damaged or was changed since its run ended: its SHA-256 is another", folder);
    }
}
