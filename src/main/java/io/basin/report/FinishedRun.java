package io.basin.report;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.data.OwnData;
import io.basin.io.Folders;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.text.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.StringJoiner;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * A finished comparison, as {@link Regimes} needs it.
 *
 * @param source its folder or file, for messages
 * @param config its {@code config.json}
 * @param rows of its table
 */
record FinishedRun(String source, JsonNode config, List<Summary.Row> rows) {
    private static final String CONFIG = "config.json";
    private static final String RESULTS = "results.json";
    private static final String CONFIGURATION = "configuration";
    private static final String RUNS = "runs";
    private static final String ROWS = "rows";
    /** Commands whose results are a table of methods. */
    private static final Set<String> TABLES = Set.of("compare", "train");

    private static final String REMEDY = "restore it from a copy, or measure that run again";

    /**
     * Runs in a folder, however deep, or in a file that {@link #write} wrote.
     *
     * @param widths gets what is found of widths beside them, or in their place
     */
    static List<FinishedRun> read(Path place, List<FinishedWidth> widths) {
        if (!Files.exists(place)) throw new IllegalArgumentException(place + ": no such file or folder");
        if (Files.isRegularFile(place)) return file(place, widths);
        int before = widths.size();
        List<FinishedRun> runs = new ArrayList<>();
        Set<String> others = new TreeSet<>();
        for (Path config : Folders.walk(place).stream().sorted().toList()) {
            Path results = config.resolveSibling(RESULTS);
            if (!config.endsWith(CONFIG) || !Files.isRegularFile(config) || !Files.exists(results)) continue;
            JsonNode made = Json.unseal(config, REMEDY);
            String command = made.path("command").asText("compare");
            if (command.equals("width")) {
                widths.add(FinishedWidth.of(results));
            } else if (!TABLES.contains(command)) {
                others.add("'" + Printable.of(command) + "'");
            } else {
                JsonNode rows = Json.unsealField(results, ROWS, REMEDY);
                requireSame(results, made);
                runs.add(of(results, made, rows));
            }
        }
        if (runs.isEmpty() && widths.size() == before) {
            throw new IllegalArgumentException(place + ": holds no finished comparison, which is a folder with "
                    + CONFIG + " and " + RESULTS + " of 'compare' or 'train'"
                    + (others.isEmpty()
                            ? "; an interrupted one has to be resumed first"
                            : ", but results of " + String.join(", ", others) + ", which have a page of their own"));
        }
        return runs;
    }

    /** Files of older versions do not say of which run they are. */
    private static void requireSame(Path results, JsonNode config) {
        if (!config.has(CONFIGURATION)) return;
        JsonNode of = Json.unsealField(results, CONFIGURATION, REMEDY);
        if (of.isMissingNode()) {
            throw new FormatException(
                    results.toString(), "does not say of which run it is, as it did when it was written: " + REMEDY);
        }
        if (of.asText().equals(config.path(CONFIGURATION).asText())) return;
        throw new FormatException(results.toString(), "is of another run than the " + CONFIG + " beside it: " + REMEDY);
    }

    private static List<FinishedRun> file(Path file, List<FinishedWidth> widths) {
        if (Json.read(file, REMEDY).has("rays")) {
            widths.add(FinishedWidth.of(file));
            return List.of();
        }
        JsonNode all = Json.unseal(file, REMEDY);
        JsonNode runs = all.path(RUNS);
        all.path(FinishedWidth.WIDTHS).forEach(w -> widths.add(Json.as(w, FinishedWidth.class)));
        if (runs.isEmpty()) {
            throw new FormatException(
                    file.toString(),
                    "holds no runs: name the folder of a comparison, or a file that 'basin report' wrote");
        }
        List<FinishedRun> read = new ArrayList<>();
        runs.forEach(run -> read.add(of(file, run.path("config"), run.path(ROWS))));
        return read;
    }

    private static FinishedRun of(Path source, JsonNode config, JsonNode rows) {
        try {
            List<Summary.Row> read = List.of(Json.as(rows, Summary.Row[].class));
            if (!(config.path("budget").path("epochs").asDouble() > 0)) {
                throw new IllegalArgumentException("without a budget");
            }
            if (!read.isEmpty() && read.stream().noneMatch(r -> r.scores().isEmpty())) {
                return new FinishedRun(source.toString(), config, read);
            }
        } catch (IllegalArgumentException | NullPointerException e) {
            throw new FormatException(source.toString(), "is not the results of a comparison: " + REMEDY, e);
        }
        throw new FormatException(source.toString(), "is not the results of a comparison: " + REMEDY);
    }

    /** The runs in one small file: what decided them, and their scores. */
    static void write(Path file, List<FinishedRun> runs, List<FinishedWidth> widths) {
        Json.seal(
                file,
                Map.of(
                        RUNS,
                        runs.stream()
                                .map(r -> Map.of("config", r.config, ROWS, r.rows))
                                .toList(),
                        FinishedWidth.WIDTHS,
                        widths));
    }

    /** Its folder, its device, and the command that repeats it. */
    List<String> words() {
        StringJoiner command = new StringJoiner(" ", "basin ", "");
        config.path("arguments").forEach(word -> command.add(word.asText()));
        return List.of(
                source, config.path("device").asText(), config.has("arguments") ? command.toString() : "not known");
    }

    double epochs() {
        return config.path("budget").path("epochs").asDouble();
    }

    /** All that decides its results but for methods, their settings, seeds and epochs, by names joined with dots. */
    Map<String, String> setting() {
        Map<String, String> all = texts(config.path("budget"));
        all.remove("epochs");
        all.putAll(texts(config.path("settings")));
        for (String name : List.of("data", "bn-plain", "bn-update", "from")) {
            all.put(name, config.path(name).asText());
        }
        // Of somebody's own data the content decides, wherever it lay.
        if (all.containsKey("dataset")) all.put("dataset", OwnData.label(all.get("dataset")));
        // Files of versions that had no choice do not say.
        all.put("optimizer", config.path("optimizer").asText("SGD"));
        all.putIfAbsent("annealing", "SWA_PAPER");
        all.putIfAbsent("done", "0.0");
        all.values().removeIf(String::isEmpty);
        return all;
    }

    Map<String, String> settings(String method) {
        return texts(config.path("methodSettings").path(method));
    }

    private static Map<String, String> texts(JsonNode node) {
        Map<String, String> all = new TreeMap<>();
        Json.leaves(node).forEach((name, value) -> all.put(name, value.asText()));
        return all;
    }
}
