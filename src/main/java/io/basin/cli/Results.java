package io.basin.cli;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.Nullable;
import io.basin.io.AtomicFile;
import io.basin.io.Json;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import picocli.CommandLine.Option;

/** Flags for programs that read results: into files, or on stdout instead of the text for people. Numbers have all their digits. */
final class Results {
    private static final Path STDOUT = Path.of("-");

    @Option(
            names = "--csv",
            paramLabel = "FILE",
            description = "write the results as a table, a header first; - for stdout")
    private @Nullable Path csv;

    @Option(names = "--json", paramLabel = "FILE", description = "write the results as JSON; - for stdout")
    private @Nullable Path json;

    /** @throws IllegalArgumentException naming the flag whose file cannot be written; before any work is done */
    void require() {
        require("", null);
    }

    /** The same with one more file, which {@code flag} names. */
    void require(String flag, @Nullable Path more) {
        if (STDOUT.equals(csv) && STDOUT.equals(json)) {
            throw new IllegalArgumentException(
                    "--csv and --json: only one of them can have stdout; name a file for the other");
        }
        if (!STDOUT.equals(csv)) Outputs.requireApart(new String[] {"--csv", "--json", flag}, csv, json, more);
        if (!STDOUT.equals(csv)) Outputs.require("--csv", csv);
        if (!STDOUT.equals(json)) Outputs.require("--json", json);
        Outputs.require(flag, more);
    }

    /** Whether the text for people is printed: stdout is not taken. */
    boolean inWords() {
        return !STDOUT.equals(csv) && !STDOUT.equals(json);
    }

    /**
     * Writes what was asked for.
     *
     * @param rows records of one type, whose components are the columns
     * @param whole what the JSON holds
     */
    void write(List<? extends Record> rows, Supplier<?> whole) {
        if (csv != null) writeTable(csv, rows.stream().map(Json::tree).toList());
        if (json != null) write(json, Json.text(whole.get()));
    }

    private static void write(Path file, String text) {
        if (!file.equals(STDOUT)) {
            AtomicFile.write(file, text);
            return;
        }
        // Always UTF-8: a program reads it, whatever the terminal shows.
        byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
        System.out.write(bytes, 0, bytes.length);
        System.out.flush();
    }

    /** A column for each field that any of {@code rows} has. */
    static void writeTable(Path file, List<JsonNode> rows) {
        Set<String> names = new LinkedHashSet<>();
        rows.forEach(row -> row.fieldNames().forEachRemaining(names::add));
        StringBuilder out = new StringBuilder();
        if (!rows.isEmpty()) out.append(String.join(",", names)).append('\n');
        for (JsonNode row : rows) {
            out.append(names.stream().map(name -> cell(row.path(name))).collect(Collectors.joining(",", "", "\n")));
        }
        write(file, out.toString());
    }

    /** Nothing where there is no value; a list with blanks between. */
    private static String cell(JsonNode value) {
        List<String> parts = new ArrayList<>();
        if (value.isArray()) value.forEach(part -> parts.add(part.asText()));
        else if (!value.isNull() && !value.isMissingNode()) parts.add(value.asText());
        String text = String.join(" ", parts).replaceAll("\\p{Cc}", "?");
        return text.matches("[^,\"]*") ? text : '"' + text.replace("\"", "\"\"") + '"';
    }
}
