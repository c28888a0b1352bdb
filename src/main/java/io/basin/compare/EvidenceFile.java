package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.report.Evidence;
import io.basin.text.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A group's checks and probes in its folder, so that a comparison that resumes does not make them again. */
final class EvidenceFile {
    private static final String NAME = "evidence.json";

    private static final String REMEDY = "it is damaged; delete it and scores.json beside it to have both made again";

    private EvidenceFile() {}

    static void write(Path folder, Evidence evidence) {
        Json.write(folder.resolve(NAME), evidence);
    }

    /** Nothing where there is no such file: it is younger than the scores. */
    static Evidence read(Path folder) {
        Path file = folder.resolve(NAME);
        if (!Files.exists(file)) return Evidence.NONE;
        try {
            return of(Json.read(file, REMEDY));
        } catch (IllegalArgumentException e) {
            throw new FormatException(file.toString(), "is not a list of checks: " + REMEDY, e);
        }
    }

    private static Evidence of(JsonNode root) {
        List<Evidence.Corrupted> corrupted = new ArrayList<>();
        for (JsonNode n : root.path("corrupted")) {
            corrupted.add(new Evidence.Corrupted(
                    text(n, "method"),
                    n.path("seed").asLong(),
                    text(n, "kind"),
                    n.path("strength").asInt(),
                    n.path("accuracy").asDouble(),
                    n.path("nll").asDouble(),
                    n.path("ece").asDouble()));
        }
        List<Evidence.Outside> outside = new ArrayList<>();
        for (JsonNode n : root.path("outside")) {
            outside.add(new Evidence.Outside(
                    text(n, "method"),
                    n.path("seed").asLong(),
                    text(n, "set"),
                    n.path("auroc").asDouble(),
                    n.path("confidenceInside").asDouble(),
                    n.path("confidenceOutside").asDouble()));
        }
        List<Evidence.Check> checks = new ArrayList<>();
        for (JsonNode n : root.path("checks")) {
            checks.add(new Evidence.Check(
                    text(n, "what"), text(n, "where"), n.path("verdict").asText(), text(n, "detail")));
        }
        return new Evidence(List.of(), List.of(), corrupted, outside, checks);
    }

    /** It goes to a terminal and into a page, and anybody may have changed it. */
    private static String text(JsonNode node, String name) {
        return Printable.of(node.path(name).asText(), 1000);
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
