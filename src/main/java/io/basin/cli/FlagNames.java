package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.text.Printable;
import java.lang.reflect.Field;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Option;

/** Which flag stands behind a name in {@code config.json}, and its value as one would type it. */
final class FlagNames {
    private static final Map<String, String> FLAGS = new HashMap<>(Map.of(
            "settings.snapshots", "--cycles",
            "settings.decayEverything", "--no-decay-vectors",
            "settings.pad", "--augment",
            "settings.flip", "--augment",
            "settings.family.samples", "--swag-samples",
            "settings.family.rank", "--swag-rank",
            "settings.family.scale", "--swag-scale",
            "settings.family.workers", "--swap-workers",
            "settings.dataset", "DATASET"));

    static {
        FLAGS.putAll(Map.of(
                "grid.span", "--directions",
                "grid.cells", "--grid",
                "grid.low", "--from",
                "grid.high", "--to",
                "sampling.plain", "--bn-plain",
                "nets", "FILE",
                "methods", "--methods",
                "seeds", "--seeds"));
        options(TrainingOptions.class, "settings.");
        options(LandscapeOptions.class, "sampling.");
    }

    private FlagNames() {}

    private static void options(Class<?> mixin, String within) {
        for (Field field : mixin.getDeclaredFields()) {
            Option option = field.getAnnotation(Option.class);
            if (option != null) FLAGS.putIfAbsent(within + field.getName(), option.names()[0]);
        }
    }

    /** The flag, or what follows the last point of {@code name} as one: most are called alike. */
    static String of(String name) {
        return FLAGS.getOrDefault(name, "--" + name.substring(name.lastIndexOf('.') + 1));
    }

    /** As one would type it: lists with commas, no quotes, nothing in capitals. */
    static String value(JsonNode node) {
        if (node.isMissingNode()) return "nothing";
        if (node.isArray()) {
            List<String> all = new ArrayList<>();
            node.forEach(n -> all.add(value(n)));
            return String.join(",", all);
        }
        String text = Printable.of(node.asText());
        return text.matches("[A-Z][A-Z0-9_]*") ? text.toLowerCase(Locale.ROOT) : text;
    }
}
