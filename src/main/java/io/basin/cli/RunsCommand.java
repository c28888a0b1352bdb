package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.Nullable;
import io.basin.data.OwnData;
import io.basin.ensemble.RunFolder;
import io.basin.io.Disk;
import io.basin.io.Folders;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.io.Notices;
import io.basin.text.Format;
import io.basin.text.Printable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.time.ZoneId;
import java.time.format.DateTimeFormatter;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Lists the folders of runs, of whose files it reads the configuration and the results. */
@Command(
        name = "runs",
        description = "Lists runs, the newest first: what they are, how far they are, and how large.",
        footer = {"", "Examples:", "  basin runs", "  basin runs experiments --csv runs.csv"})
final class RunsCommand implements Runnable {
    /** The folder of runs that were given none. */
    static final Path USUAL = Path.of("runs");

    private static final DateTimeFormatter TIME =
            DateTimeFormatter.ofPattern("yyyy-MM-dd HH:mm", Locale.ROOT).withZone(ZoneId.systemDefault());

    @Parameters(
            paramLabel = "DIR",
            arity = "0..1",
            defaultValue = "runs",
            description = "the folder that holds them, or a run's own; default ${DEFAULT-VALUE}")
    private Path parent;

    @Mixin
    private Results results;

    @Override
    public void run() {
        results.require();
        if (!parent.equals(USUAL) && !Files.isDirectory(parent)) {
            throw new IllegalArgumentException("DIR: there is no folder " + parent);
        }
        List<Path> folders = Files.exists(parent.resolve(Configuration.FILE))
                ? List.of(parent)
                : names(parent).stream().map(parent::resolve).toList();
        List<Run> runs = folders.stream()
                .map(Run::of)
                .sorted(Comparator.comparing(Run::date).reversed())
                .toList();
        if (results.inWords()) {
            runs.forEach(r -> System.out.println(r.inWords()));
            if (runs.isEmpty()) System.out.println("No runs in " + parent + "; 'basin compare' makes one");
        }
        results.write(runs, () -> runs);
    }

    /** The names of the folders in {@code parent} that hold a run. */
    static List<String> names(Path parent) {
        if (!Files.isDirectory(parent)) return List.of();
        return Folders.list(parent).stream()
                .filter(f -> Files.exists(f.resolve(Configuration.FILE)))
                .map(f -> f.getFileName().toString())
                .sorted()
                .toList();
    }

    /**
     * A run's folder.
     *
     * @param epochs the budget of each method; null where nothing is trained
     * @param seedsDone of those that were asked for, with all methods
     * @param state {@code finished}, {@code resumable} or {@code damaged}
     * @param best the method with the highest accuracy of a finished run, and that, a fraction; null where there is none
     * @param date when its results were written, else when it began, UTC
     */
    private record Run(
            String run,
            String command,
            List<String> methods,
            String dataset,
            String model,
            @Nullable Double epochs,
            int seedsDone,
            int seeds,
            String state,
            @Nullable String best,
            @Nullable Double bestAccuracy,
            long bytes,
            String date) {
        static Run of(Path folder) {
            Path results = folder.resolve("results.json");
            try {
                boolean measured = Files.exists(results);
                String date = Files.getLastModifiedTime(measured ? results : folder.resolve(Configuration.FILE))
                        .toInstant()
                        .truncatedTo(ChronoUnit.SECONDS)
                        .toString();
                long bytes = size(folder);
                try {
                    JsonNode rows = measured
                            ? Json.unsealField(results, "rows", "resume the run to have it made again")
                            : Json.tree(List.of());
                    return of(folder, Json.unseal(folder.resolve(Configuration.FILE)), measured, rows, bytes, date);
                } catch (FormatException | UncheckedIOException e) {
                    Notices.note(String.valueOf(e.getMessage()));
                    return new Run(
                            folder.toString(), "", List.of(), "", "", null, 0, 0, "damaged", null, null, bytes, date);
                }
            } catch (IOException e) {
                throw Disk.unreadable(folder, e);
            }
        }

        /** 0 where not all of it may be read, of which there is a note. */
        private static long size(Path folder) {
            try {
                return Folders.size(folder);
            } catch (UncheckedIOException e) {
                Notices.note(String.valueOf(e.getMessage()));
                return 0;
            }
        }

        private static Run of(Path folder, JsonNode config, boolean measured, JsonNode rows, long bytes, String date) {
            List<String> methods = texts(config.path("methods"));
            List<String> seeds = texts(config.path("seeds"));
            int done = 0;
            for (String seed : seeds) if (isDone(folder.resolve("seed-" + seed), methods)) done++;
            // A run without methods has results once it is done.
            boolean finished = measured && done == seeds.size() && covers(rows, methods, seeds.size());
            Map<String, Double> accuracies = finished ? accuracies(rows) : Map.of();
            String best = accuracies.entrySet().stream()
                    .max(Map.Entry.comparingByValue())
                    .map(Map.Entry::getKey)
                    .orElse(null);
            JsonNode epochs = config.at("/budget/epochs");
            return new Run(
                    folder.toString(),
                    text(config.path("command")),
                    methods,
                    OwnData.label(text(config.at("/settings/dataset"))),
                    text(config.at("/settings/model")),
                    epochs.isNumber() ? epochs.asDouble() : null,
                    done,
                    seeds.size(),
                    finished ? "finished" : "resumable",
                    best,
                    best == null ? null : accuracies.get(best),
                    bytes,
                    date);
        }

        private static String text(JsonNode node) {
            return Printable.of(node.asText());
        }

        private static List<String> texts(JsonNode list) {
            List<String> all = new ArrayList<>();
            list.forEach(n -> all.add(text(n)));
            return all;
        }

        /** Whether every method has scores: the name of a folder is those of its methods. */
        private static boolean isDone(Path seed, List<String> methods) {
            Set<String> done = new HashSet<>();
            if (!Files.isDirectory(seed)) return false;
            Folders.list(seed).stream()
                    .filter(f -> Files.exists(f.resolve(RunFolder.SCORES)))
                    .forEach(f -> done.addAll(List.of(f.getFileName().toString().split("\\+"))));
            return done.containsAll(methods);
        }

        private static boolean covers(JsonNode rows, List<String> methods, int seeds) {
            Set<String> there = new HashSet<>();
            rows.forEach(row -> {
                if (row.path("scores").size() == seeds)
                    there.add(row.path("method").asText());
            });
            return there.containsAll(methods);
        }

        /** Of the methods' own predictions, means over seeds. */
        private static Map<String, Double> accuracies(JsonNode rows) {
            Map<String, Double> all = new HashMap<>();
            for (JsonNode row : rows) {
                String combiner = row.path("combiner").asText();
                if (!combiner.isEmpty() && !combiner.equals("mean")) continue;
                double sum = 0;
                for (JsonNode score : row.path("scores"))
                    sum += score.path("accuracy").asDouble();
                all.put(text(row.path("method")), sum / row.path("scores").size());
            }
            return all;
        }

        String inWords() {
            StringBuilder out = new StringBuilder(Format.of(
                    "%s  %s  %s  %.1f MB", Printable.of(run), state, TIME.format(Instant.parse(date)), 1e-6 * bytes));
            if (command.isEmpty()) return out.toString();
            out.append("\n  " + command + ": " + dataset + ", " + model);
            if (epochs != null) out.append(Format.of(epochs == 1 ? ", %s epoch" : ", %s epochs", plain(epochs)));
            if (seeds > 0) out.append(", " + seedsDone + " of " + seeds + (seeds == 1 ? " seed" : " seeds"));
            if (bestAccuracy != null) out.append(Format.of("; best %s %.2f %%", best, 100 * bestAccuracy));
            if (!methods.isEmpty()) out.append("\n  " + String.join(", ", methods));
            if (state.equals("resumable")) out.append("\n  to go on: basin " + command + " --resume " + run);
            return out.toString();
        }

        private static String plain(double value) {
            return value == Math.rint(value) ? Long.toString((long) value) : Double.toString(value);
        }
    }
}
