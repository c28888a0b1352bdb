package io.basin.compare;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.report.Extras;
import io.basin.text.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** A group's checks and probes in its folder, so that a comparison that resumes does not make them again. */
final class ExtrasFile {
    private static final String NAME = "evidence.json";

    private static final String REMEDY = "it is damaged; delete it and scores.json beside it to have both made again";

    private ExtrasFile() {}

    static void write(Path folder, Extras evidence) {
        Json.write(folder.resolve(NAME), evidence);
    }

    /** Nothing where there is no such file: it is younger than the scores. */
    static Extras read(Path folder) {
        Path file = folder.resolve(NAME);
        if (!Files.exists(file)) return Extras.NONE;
        try {
            return of(Json.read(file, REMEDY));
        } catch (IllegalArgumentException e) {
            throw new FormatException(file.toString(), "is not a list of checks: " + REMEDY, e);
        }
    }

    private static Extras of(JsonNode root) {
        List<Extras.Corrupted> corrupted = new ArrayList<>();
        for (JsonNode n : root.path("corrupted")) {
            corrupted.add(new Extras.Corrupted(
                    text(n, "method"),
                    n.path("seed").asLong(),
                    text(n, "kind"),
                    n.path("strength").asInt(),
                    n.path("accuracy").asDouble(),
                    n.path("nll").asDouble(),
                    n.path("ece").asDouble()));
        }
        List<Extras.Outside> outside = new ArrayList<>();
        for (JsonNode n : root.path("outside")) {
            outside.add(new Extras.Outside(
                    text(n, "method"),
                    n.path("seed").asLong(),
                    text(n, "set"),
                    n.path("auroc").asDouble(),
                    n.path("confidenceInside").asDouble(),
                    n.path("confidenceOutside").asDouble()));
        }
        List<Extras.Check> checks = new ArrayList<>();
        for (JsonNode n : root.path("checks")) {
            checks.add(new Extras.Check(
                    text(n, "what"), text(n, "where"), n.path("verdict").asText(), text(n, "detail")));
        }
        return new Extras(List.of(), List.of(), corrupted, outside, checks);
    }

    /** It goes to a terminal and into a page, and anybody may have changed it. */
    private static String text(JsonNode node, String name) {
        return Printable.of(node.path(name).asText(), 1000);
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
