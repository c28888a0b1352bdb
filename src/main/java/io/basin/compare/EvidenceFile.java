package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.report.Evidence;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A group's checks and probes in its folder, so that a comparison that resumes does not make them again. */
final class EvidenceFile {
    private static final String NAME = "evidence.json";

    private EvidenceFile() {}

    static void write(Path folder, Evidence evidence) {
        Json.write(folder.resolve(NAME), evidence);
    }

    /** Nothing where there is no such file: it is younger than the scores. */
    static Evidence read(Path folder) {
        Path file = folder.resolve(NAME);
        if (!Files.exists(file)) return Evidence.NONE;
        try {
            return of(Json.read(file));
        } catch (IllegalArgumentException e) {
            throw new FormatException(
                    file.toString(),
                    "is no list of checks (" + e.getMessage() + "); delete it and scores.json to have both made again",
                    e);
        }
    }

    private static Evidence of(JsonNode root) {
        List<Evidence.Corrupted> corrupted = new ArrayList<>();
        for (JsonNode n : root.path("corrupted")) {
            corrupted.add(new Evidence.Corrupted(
                    n.path("method").asText(),
                    n.path("seed").asLong(),
                    n.path("kind").asText(),
                    n.path("strength").asInt(),
                    n.path("accuracy").asDouble(),
                    n.path("nll").asDouble(),
                    n.path("ece").asDouble()));
        }
        List<Evidence.Outside> outside = new ArrayList<>();
        for (JsonNode n : root.path("outside")) {
            outside.add(new Evidence.Outside(
                    n.path("method").asText(),
                    n.path("seed").asLong(),
                    n.path("set").asText(),
                    n.path("auroc").asDouble(),
                    n.path("confidenceInside").asDouble(),
                    n.path("confidenceOutside").asDouble()));
        }
        List<Evidence.Check> checks = new ArrayList<>();
        for (JsonNode n : root.path("checks")) {
            checks.add(new Evidence.Check(
                    n.path("what").asText(),
                    n.path("where").asText(),
                    n.path("verdict").asText(),
                    n.path("detail").asText()));
        }
        return new Evidence(List.of(), List.of(), corrupted, outside, checks);
    }

    /** Whether {@code evidence} answers what {@code options} ask: a resumed comparison may ask for more. */
    static boolean answers(Evidence evidence, Options options) {
        boolean corruptions = !options.corruptions() || !evidence.corrupted().isEmpty();
        boolean outside = options.outside() == null
                || evidence.outside().stream()
                        .anyMatch(o -> o.set().equals(options.outside().name()));
        return corruptions && outside;
    }
}
