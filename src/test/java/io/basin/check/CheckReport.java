package io.basin.check;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.check.Part.Outcome;
import io.basin.check.Part.Verdict;
import io.basin.io.AtomicFile;
import io.basin.io.FormatException;
import io.basin.io.Json;
import io.basin.nn.Nets;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/** What the hardware check found, in Markdown and in JSON. What an emulator's figures are is said above all of them. */
record CheckReport(List<Outcome> outcomes) {
    static final String MARKDOWN = "check.md";
    static final String JSON = "check.json";
    static final String EMULATED =
            "**EMULATOR: this is a rehearsal on the software GPU. Every time and rate below is an emulator's on this"
                    + " machine's processor; none is a GPU's, and none says anything of one.**";
    private static final String UNKNOWN = "no part said which device it ran on";
    /** A log's lines in the report; the whole is in its file. */
    private static final int LINES = 400;

    /** Columns that say what a row is of come first. */
    private static final List<String> FIRST = List.of("net", "precision", "way", "parameters", "average");

    void write(Path folder) {
        AtomicFile.write(folder.resolve(MARKDOWN), markdown());
        Json.write(folder.resolve(JSON), json());
    }

    /** Whether any part met the software GPU: then no part's figures are taken for hardware's. */
    boolean emulated() {
        return outcomes.stream().flatMap(o -> o.lines().stream()).anyMatch(l -> l.contains("software GPU"));
    }

    private String device() {
        return outcomes.stream()
                .flatMap(o -> o.lines().stream())
                .filter(l -> l.startsWith("device: ") || l.contains("device: CUDA, "))
                .map(l -> l.substring(l.indexOf("device: ") + "device: ".length()))
                .findFirst()
                .or(() -> rows("").stream().map(r -> r.path("device").asText()).findFirst())
                .orElse(UNKNOWN);
    }

    /** Results of the part of that name, or of all parts for the empty one. */
    private List<JsonNode> rows(String part) {
        return outcomes.stream()
                .filter(o -> part.isEmpty() || o.part().name().equals(part))
                .flatMap(o -> o.rows().stream())
                .flatMap(l -> parsed(l).stream())
                .toList();
    }

    private static Optional<JsonNode> parsed(String line) {
        try {
            return Optional.of(Json.parse(line, "a result"));
        } catch (FormatException e) {
            return Optional.empty();
        }
    }

    private static String version() {
        String version = Nets.class.getPackage().getImplementationVersion();
        return version == null ? "unpackaged" : version;
    }

    private Map<String, Object> json() {
        List<Map<String, Object>> parts = new ArrayList<>();
        for (Outcome o : outcomes) {
            Map<String, Object> part = new LinkedHashMap<>();
            part.put("name", o.part().name());
            part.put("verdict", o.verdict().text());
            part.put("reason", o.reason());
            part.put("seconds", o.seconds());
            part.put("limit", Math.round(o.limit()));
            part.put("rows", o.rows().stream().flatMap(l -> parsed(l).stream()).toList());
            part.put("text", text(o));
            parts.add(part);
        }
        Map<String, Object> all = new LinkedHashMap<>();
        all.put("basin", version());
        all.put("time", Instant.now().toString());
        all.put("device", device());
        all.put("emulator", emulated());
        all.put("parts", parts);
        all.put("ratios", ratios());
        return all;
    }

    String markdown() {
        StringBuilder out = new StringBuilder("# Basin's hardware check\n\n");
        if (emulated()) out.append(EMULATED).append("\n\n");
        long passed =
                outcomes.stream().filter(o -> o.verdict() == Verdict.PASSED).count();
        out.append(passed + " of " + outcomes.size() + " parts passed. Basin " + version() + ", " + Instant.now()
                + "; device: " + device() + "\n\n");
        out.append("| part | verdict | s | limit | why |\n|---|---|---|---|---|\n");
        for (Outcome o : outcomes) {
            out.append(String.format(
                    Locale.ROOT,
                    "| %s | %s | %.0f | %.0f | %s |%n",
                    o.part().title(),
                    o.verdict().text(),
                    o.seconds(),
                    o.limit(),
                    cell(o.reason())));
        }
        List<Map<String, Object>> ratios = ratios();
        if (!ratios.isEmpty()) {
            out.append("\n## Basin to PyTorch, training images/s in the same minutes\n\n")
                    .append(
                            "Each at its default precision (convolutions in TF32, products in float32), and both in bf16, there against"
                                    + " the faster of PyTorch's eager and compiled.\n\n")
                    .append(table(ratios.stream().map(Json::tree).toList()));
        }
        for (Outcome o : outcomes) if (o.verdict() != Verdict.NOT_RUN) section(out, o);
        return out.toString();
    }

    private void section(StringBuilder out, Outcome o) {
        String on = emulated() ? " (on an emulator)" : "";
        out.append("\n## " + o.part().title() + ": " + o.verdict().text() + on + "\n\n");
        List<JsonNode> rows = rows(o.part().name());
        if (!rows.isEmpty()) out.append(table(rows)).append('\n');
        List<String> text = text(o);
        if (text.isEmpty()) return;
        out.append("```\n");
        if (text.size() > LINES) out.append("(the last " + LINES + " of " + text.size() + " lines)\n");
        text.subList(Math.max(0, text.size() - LINES), text.size())
                .forEach(l -> out.append(l).append('\n'));
        out.append("```\n");
    }

    /** What is no row. */
    private static List<String> text(Outcome o) {
        List<String> rows = o.rows();
        return o.lines().stream().filter(l -> !rows.contains(l) && !l.isBlank()).toList();
    }

    private static String table(List<JsonNode> rows) {
        List<String> names = new ArrayList<>();
        rows.get(0).fieldNames().forEachRemaining(names::add);
        names.remove("device");
        names.sort(Comparator.comparingInt(n -> FIRST.contains(n) ? FIRST.indexOf(n) : FIRST.size()));
        StringBuilder out = new StringBuilder("| " + String.join(" | ", names) + " |\n");
        out.append("|").append("---|".repeat(names.size())).append('\n');
        for (JsonNode row : rows) {
            out.append(names.stream().map(n -> figure(row.path(n))).collect(Collectors.joining(" | ", "| ", " |\n")));
        }
        return out.toString();
    }

    private static String figure(JsonNode value) {
        if (!value.isFloatingPointNumber()) return cell(value.asText());
        return String.format(Locale.ROOT, value.asDouble() >= 1000 ? "%.0f" : "%.3g", value.asDouble());
    }

    private static String cell(String text) {
        return text.replace("|", "\\|").replace("\n", " ");
    }

    /** For each net that both trained; none from an emulator. */
    private List<Map<String, Object>> ratios() {
        List<Map<String, Object>> ratios = new ArrayList<>();
        if (emulated()) return ratios;
        for (String net : Parts.TIMED) {
            double ours = rate("speed", net, "precision", "fp32");
            double ourHalf = rate("speed", net, "precision", "bf16");
            double theirs = rate("pytorch", net, "way", "eager");
            double theirHalf =
                    Math.max(rate("pytorch", net, "way", "bf16"), rate("pytorch", net, "way", "bf16-compiled"));
            Map<String, Object> row = new LinkedHashMap<>();
            row.put("net", net);
            row.put("default to default", ratio(ours, theirs));
            row.put("bf16 to bf16", ratio(ourHalf, theirHalf));
            if (ours > 0 && theirs > 0 || ourHalf > 0 && theirHalf > 0) ratios.add(row);
        }
        return ratios;
    }

    private static Object ratio(double ours, double theirs) {
        return ours > 0 && theirs > 0 ? ours / theirs : "not measured";
    }

    private double rate(String part, String net, String key, String value) {
        return rows(part).stream()
                .filter(r -> r.path("net").asText().equals(net)
                        && r.path(key).asText().equals(value))
                .mapToDouble(r -> r.path("images_per_s").asDouble())
                .max()
                .orElse(0);
    }
}
