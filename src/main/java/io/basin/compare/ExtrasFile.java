package io.basin.compare;

import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.report.Extras;
import java.nio.file.Files;
import java.nio.file.Path;

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
            return Json.as(Json.read(file, REMEDY), Extras.class);
        } catch (IllegalArgumentException e) {
            throw new FormatException(file.toString(), "is not a list of checks: " + REMEDY, e);
        }
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
