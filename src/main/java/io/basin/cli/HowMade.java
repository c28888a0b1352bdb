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
        times(folder).forEach((run, time) -> facts.put("time, " + run, time));
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

    /** Every leaf of what decides the results, by the flag that sets it. */
    private static Map<String, String> settings(Configuration configuration) {
        Map<String, String> settings = new LinkedHashMap<>();
        // A flag without a value may say the opposite of what it sets.
        Json.leaves(configuration.tree())
                .forEach((name, value) ->
                        settings.putIfAbsent(value.isBoolean() ? name : FlagNames.label(name), FlagNames.value(value)));
        return settings;
    }
}
