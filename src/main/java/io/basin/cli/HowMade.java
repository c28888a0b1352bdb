package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import io.basin.io.JsonLines;
import io.basin.report.Made;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;

/** A page's origin: command, version, date, machine, time of each run, and settings. */
final class HowMade {
    private static final DateTimeFormatter MINUTE = DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm 'UTC'", Locale.ROOT);

    private HowMade() {}

    /** @param folder of the run, whose times are those that it kept */
    static Made of(Configuration configuration, Path folder) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put("command", "basin " + String.join(" ", configuration.words()));
        facts.put("version", new Main.Version().getVersion()[0] + ", Java " + Runtime.version());
        facts.put("date", ZonedDateTime.now(ZoneOffset.UTC).format(MINUTE));
        facts.put(
                "machine",
                System.getProperty("os.name") + " " + System.getProperty("os.version") + ", "
                        + System.getProperty("os.arch") + ", "
                        + Runtime.getRuntime().availableProcessors() + " processors");
        times(folder).forEach((run, time) -> facts.put("time, " + run.replace("+", " and "), time));
        return new Made(facts, settings(configuration));
    }

    /** Seconds of training by run, of one seed. */
    private static Map<String, String> times(Path folder) {
        Map<String, Double> seconds = new LinkedHashMap<>();
        Set<String> seeds = new HashSet<>();
        Path metrics = folder.resolve("metrics.jsonl");
        if (!Files.exists(metrics)) return Map.of();
        for (JsonNode line : JsonLines.read(metrics)) {
            seeds.add(line.path("seed").asText());
            seconds.merge(line.path("run").asText(), line.path("seconds").asDouble(), Double::sum);
        }
        Map<String, String> times = new LinkedHashMap<>();
        String each = seeds.size() > 1 ? " of training a seed, mean of " + seeds.size() : " of training";
        seconds.forEach((run, all) -> times.put(run, BarLine.time(all / seeds.size()) + each));
        return times;
    }

    /** Every leaf of what decides the results, as one would type it: a flag with the value that it was given, or else has. */
    private static Map<String, String> settings(Configuration configuration) {
        Map<String, String> settings = new LinkedHashMap<>();
        Json.leaves(configuration.tree()).forEach((name, value) -> {
            String flag = FlagNames.label(name);
            if (name.equals("settings.data.flip")) {
                boolean crops = configuration.tree().at("/settings/data/pad").asInt() > 0;
                settings.put(flag, value.asBoolean() ? crops ? "crop_flip" : "flip" : "none");
            } else if (name.equals("seeds") && value.isArray()) {
                settings.put("--seed", value.path(0).asText());
                if (value.size() > 1) settings.put(flag, Integer.toString(value.size()));
            } else if (value.isBoolean()) {
                // A flag without a value may say the opposite of what it sets.
                if (value.asBoolean() != flag.startsWith("--no-")) settings.put(flag, "");
            } else if (!flag.equals("--from")) {
                settings.putIfAbsent(flag, FlagNames.value(value));
            }
        });
        List<String> words = configuration.words();
        if (words.get(0).equals("train")) settings.put("--method", settings.remove("--methods"));
        for (String word : words) {
            String flag = word.replaceFirst("=.*", "");
            if (!flag.equals(word)) settings.computeIfPresent(flag, (f, usual) -> word.substring(f.length() + 1));
            if (word.startsWith("--from")) settings.put(flag, word.substring(flag.length() + 1));
        }
        if (words.size() > 1) settings.computeIfPresent("DATASET", (d, usual) -> words.get(1));
        return settings;
    }
}
