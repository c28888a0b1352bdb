package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Methods that train on from their average, merged checkpoints and an average chosen afterwards, as rows of a comparison. */
class YoungerMethodsTest {
    private static final List<String> METHODS = List.of("switch-ema", "pswa", "lookahead", "wsm", "posthoc-ema");

    @TempDir
    static Path shared;

    private static Path data;
    private static Path run;
    private static Shell first;

    @BeforeAll
    static void compareThem() {
        data = Shell.grey(shared.resolve("data"), 240, 100);
        run = shared.resolve("run");
        first = compare("sgd,ema," + String.join(",", METHODS), "--out", run, "--validation", 40, "--keep", "all");
    }

    private static Shell compare(String methods, Object... more) {
        List<Object> args = new ArrayList<>(List.of("compare", "mnist", "--data-dir", data, "--device", "cpu"));
        args.addAll(List.of("--model", "small-cnn", "--batch-size", 20, "--epochs", 2, "--lr", 0.02, "--threads", 1));
        args.addAll(List.of("--methods", methods, "--pswa-period", 0.5, "--posthoc-ema-snapshots", 8));
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    private static Map<String, String> verdicts(String method) {
        Map<String, String> all = new TreeMap<>();
        for (JsonNode check : Json.read(run.resolve("results.json")).at("/evidence/checks")) {
            if (check.path("where").asText().equals(method + ", seed 1"))
                all.put(check.path("what").asText(), check.path("verdict").asText());
        }
        return all;
    }

    @Test
    void eachSpendsTheBudgetLearnsAndPassesItsChecks() throws IOException {
        assertEquals(0, first.code(), first.err());
        Map<String, Double> accuracies = new TreeMap<>();
        for (JsonNode row : Json.read(run.resolve("results.json")).path("rows")) {
            if (row.path("combiner").asText().isEmpty())
                accuracies.put(
                        row.path("method").asText(),
                        row.at("/scores/0/accuracy").asDouble());
            assertEquals(2, row.path("epochs").asDouble(), 1e-9, row.toString());
        }
        String page = Files.readString(run.resolve("report.html"));
        for (String method : METHODS) {
            assertTrue(accuracies.get(method) > 0.5, accuracies.toString());
            Map<String, String> verdicts = verdicts(method);
            assertEquals("passed", verdicts.get("models are collected at the promised rate and phase"), method);
            boolean stored = method.equals("wsm") || method.equals("posthoc-ema");
            assertEquals(
                    stored ? "passed" : "not covered",
                    verdicts.get("average = float64 mean of the stored models"),
                    method);
            assertTrue(page.contains("<dt>" + method + "</dt>"), "the report does not say what " + method + " is");
        }
    }

    /** Where nothing is held out there is nothing to choose a width by; few snapshots cannot make every width. */
    @Test
    void postHocEmaSaysItsWidthAndHowFarItMayBeOff() {
        assertTrue(
                first.err()
                        .matches("(?s).*posthoc-ema, seed 1: the average of width 0\\.\\d\\d, whose validation loss is"
                                + " least; error bound of its fit [0-9.e-]+\n.*"),
                first.err());
        Shell all = compare("posthoc-ema", "--validation", 0, "--out", shared.resolve("all"));
        assertEquals(0, all.code(), all.err());
        assertTrue(all.err().contains("width 0.10, for nothing is held out to choose by; error bound"), all.err());
    }

    /** The same bytes, from what is stored, where its scores are lost. */
    @Test
    void aComparisonThatLostItsScoresChoosesTheSameAverage() throws IOException {
        byte[] results = Files.readAllBytes(run.resolve("results.json"));
        Path file = run.resolve("seed-1/posthoc-ema/posthoc-ema.safetensors");
        byte[] average = Files.readAllBytes(file);
        for (String lost : List.of("scores.json", "evidence.json", "posthoc-ema.safetensors"))
            Files.delete(file.resolveSibling(lost));
        Shell again =
                compare("sgd,ema," + String.join(",", METHODS), "--resume", run, "--validation", 40, "--keep", "all");
        assertEquals(0, again.code(), again.err());
        assertEquals(first.out(), again.out());
        assertEquals(new String(results), Files.readString(run.resolve("results.json")));
        assertArrayEquals(average, Files.readAllBytes(file));
    }
}
