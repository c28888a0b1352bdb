package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.report.Extras;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A group's checks and probes in its folder, so that a comparison that resumes does not make them again. */
final class ExtrasFile {
    private static final String NAME = "evidence.json";

    private ExtrasFile() {}

    static void write(Path folder, Extras evidence) {
        Json.write(folder.resolve(NAME), evidence);
    }

    /** Nothing where there is no such file: it is younger than the scores. */
    static Extras read(Path folder) {
        Path file = folder.resolve(NAME);
        if (!Files.exists(file)) return Extras.NONE;
        try {
            return of(Json.read(file));
        } catch (IllegalArgumentException e) {
            throw new FormatException(
                    file.toString(),
                    "is no list of checks (" + e.getMessage() + "); delete it and scores.json to have both made again",
                    e);
        }
    }

    private static Extras of(JsonNode root) {
        List<Extras.Corrupted> corrupted = new ArrayList<>();
        for (JsonNode n : root.path("corrupted")) {
            corrupted.add(new Extras.Corrupted(
                    n.path("method").asText(),
                    n.path("seed").asLong(),
                    n.path("kind").asText(),
                    n.path("strength").asInt(),
                    n.path("accuracy").asDouble(),
                    n.path("nll").asDouble(),
                    n.path("ece").asDouble()));
        }
        List<Extras.Outside> outside = new ArrayList<>();
        for (JsonNode n : root.path("outside")) {
            outside.add(new Extras.Outside(
                    n.path("method").asText(),
                    n.path("seed").asLong(),
                    n.path("set").asText(),
                    n.path("auroc").asDouble(),
                    n.path("confidenceInside").asDouble(),
                    n.path("confidenceOutside").asDouble()));
        }
        List<Extras.Check> checks = new ArrayList<>();
        for (JsonNode n : root.path("checks")) {
            checks.add(new Extras.Check(
                    n.path("what").asText(),
                    n.path("where").asText(),
                    n.path("verdict").asText(),
                    n.path("detail").asText()));
        }
        return new Extras(List.of(), List.of(), corrupted, outside, checks);
    }

    /** Whether {@code evidence} answers what {@code options} ask: a resumed comparison may ask for more. */
    static boolean answers(Extras evidence, Options options) {
        boolean corruptions = !options.corruptions() || !evidence.corrupted().isEmpty();
        boolean outside = options.outside() == null
                || evidence.outside().stream()
                        .anyMatch(o -> o.set().equals(options.outside().name()));
        return corruptions && outside;
    }
}
