package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import io.basin.train.Settings;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** A run's {@code config.json}: written once, and compared when the run resumes. */
final class Configuration {
    private static final String FILE = "config.json";

    private Configuration() {}

    /** Writes the configuration into a new folder; in a resumed one it must be the same but for the number of seeds. */
    static void keep(Path folder, Settings settings, List<String> methods, long[] seeds) {
        Map<String, Object> config = new LinkedHashMap<>();
        config.put("settings", settings);
        config.put("methods", methods);
        config.put("seeds", seeds);
        Path file = folder.resolve(FILE);
        if (Files.exists(file)) requireSame(file, Json.parse(Json.text(settings), FILE));
        Json.write(file, config);
    }

    private static void requireSame(Path file, JsonNode now) {
        JsonNode there = Json.read(file).path("settings");
        for (Map.Entry<String, JsonNode> field : now.properties()) {
            JsonNode old = there.path(field.getKey());
            boolean same = old.isNumber() && field.getValue().isNumber()
                    ? old.asDouble() == field.getValue().asDouble()
                    : old.equals(field.getValue());
            if (!same) {
                throw new IllegalArgumentException("--resume: " + file + " says " + field.getKey() + " = " + old
                        + ", now " + field.getValue() + "; repeat the flags of that run, or start anew with --out");
            }
        }
    }
}
