package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Barriers between children of checkpoints, from end to end. */
class StabilityCommandTest {
    @TempDir
    static Path shared;

    private static Path data;
    private static Path run;
    private static Shell done;

    @BeforeAll
    static void measure() {
        data = Shell.grey(shared.resolve("data"), 240, 100);
        run = shared.resolve("run");
        done = stability("--out", run);
    }

    private static Shell stability(Object... more) {
        List<Object> args = new ArrayList<>(List.of("stability", "mnist", "--data-dir", data, "--device", "cpu"));
        args.addAll(List.of("--model", "lenet-bn", "--batch-size", 20, "--epochs", 4, "--threads", 1));
        if (!List.of(more).contains("--validation")) args.addAll(List.of("--validation", 40));
        args.addAll(List.of("--checkpoints", 4, "--points", 5));
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    private static JsonNode results() {
        return Json.read(run.resolve("results.json"));
    }

    @Test
    void aCheckpointsLineIsMeasuredFromChildToChild() {
        assertEquals(0, done.code(), done.err());
        assertTrue(done.err().contains("1 run, 4 checkpoints, 8 children: 23 epochs in all, 5.8 budgets"), done.err());
        assertEquals(4, results().path("lines").size());
        for (int i = 0; i < 4; i++) {
            JsonNode line = results().path("lines").path(i);
            assertEquals(10 * i, line.path("step").asInt());
            assertEquals(5, line.path("line").size());
            assertTrue(Files.exists(run.resolve("at-" + 10 * i + "/child-2.safetensors")));
        }
        for (String file : List.of("barrier.svg", "barrier.png", "held-out-error.svg", "report.html")) {
            assertTrue(Files.exists(run.resolve(file)), file);
        }
    }

    /** A child or a checkpoint of another run is whole, and not this run's. */
    @Test
    void aFileOfAnotherRunIsRefusedByName() throws IOException {
        Path copy = shared.resolve("swapped");
        try (Stream<Path> all = Files.walk(run)) {
            for (Path f : all.toList())
                Files.copy(f, copy.resolve(run.relativize(f).toString()));
        }
        Files.delete(copy.resolve("points.jsonl"));
        Path child = copy.resolve("at-10/child-1.safetensors");
        Files.copy(run.resolve("at-20/child-1.safetensors"), child, StandardCopyOption.REPLACE_EXISTING);
        Shell other = stability("--resume", copy);
        assertEquals(2, other.code(), other.err());
        assertTrue(other.complaint().contains("child-1.safetensors was made with other settings"), other.complaint());
        Files.copy(run.resolve("at-10/child-1.safetensors"), child, StandardCopyOption.REPLACE_EXISTING);
        Path trunk = copy.resolve("trunk-20/checkpoint.safetensors");
        Files.copy(run.resolve("trunk-30/checkpoint.safetensors"), trunk, StandardCopyOption.REPLACE_EXISTING);
        Shell later = stability("--resume", copy);
        assertEquals(2, later.code(), later.err());
        assertTrue(later.complaint().contains("trunk-20"), later.complaint());
    }

    /** The ends of a line are the children: their held-out error is what each has with statistics of its own. */
    @Test
    void aBarrierIsTheHighestErrorAboveTheMeanOfTheEnds() {
        double first = Double.NaN;
        for (JsonNode line : results().path("lines")) {
            double most = 0;
            for (JsonNode p : line.path("line"))
                most = Math.max(most, p.path("testError").asDouble());
            double ends = (line.path("line").path(0).path("testError").asDouble()
                            + line.path("line").path(4).path("testError").asDouble())
                    / 2;
            String row = String.format(
                    java.util.Locale.ROOT,
                    "(?s).*\\n%d .*%.2f +%.2f .*",
                    line.path("step").asInt(),
                    100 * ends,
                    100 * most);
            assertTrue(done.out().matches(row), row + done.out());
            if (Double.isNaN(first)) first = most - ends;
        }
    }

    /** By the largest error of the children: one error more, of two samples more (Agresti and Coull). */
    @Test
    void howSmallABarrierCanBeFoundIsSaid() {
        double most = 0;
        for (JsonNode line : results().path("lines")) {
            double ends = (line.at("/line/0/testError").asDouble()
                            + line.at("/line/4/testError").asDouble())
                    / 2;
            double p = (40 * ends + 1) / 42;
            most = Math.max(most, Math.sqrt(p * (1 - p) / 42));
        }
        String said = String.format(
                java.util.Locale.ROOT,
                "What 4 checkpoints on 40 held-out samples can tell: a barrier of %.2f points or more is found",
                184 * most);
        assertTrue(done.out().contains(said) && done.out().contains("known to within 10 ("), said + done.out());
        assertTrue(done.out().contains("more samples of --validation"), done.out());
    }

    /** Children of the last quarter have their rate down: they stay together, and the recommendation is a checkpoint's. */
    @Test
    void theRecommendedStartIsThatOfTheFirstStableCheckpoint() {
        JsonNode start = results().path("start");
        assertTrue(start.isNumber(), done.out());
        int stable = (int) Math.round(start.asDouble() * 40);
        assertEquals(0, stable % 10);
        assertTrue(
                done.out().contains(stable == 0 ? "from the first weights on" : "Stable from step " + stable),
                done.out());
        assertTrue(stable == 0 || done.out().contains("--swa-start"), done.out());
    }

    @Test
    void whatIsInterruptedGoesOnAndEndsWithTheSameFigures() throws IOException {
        byte[] before = Files.readAllBytes(run.resolve("points.jsonl"));
        byte[] child = Files.readAllBytes(run.resolve("at-20/child-1.safetensors"));
        Files.delete(run.resolve("at-20/child-1.safetensors"));
        Shell again = Shell.run("stability", "--resume", run);
        assertEquals(0, again.code(), again.err());
        assertEquals(done.out(), again.out());
        assertArrayEquals(before, Files.readAllBytes(run.resolve("points.jsonl")));
        assertArrayEquals(child, Files.readAllBytes(run.resolve("at-20/child-1.safetensors")));
    }

    @Test
    void whatHasNothingHeldOutOrBeginsAmidARunIsRefused() {
        Path none = shared.resolve("none");
        Shell all = stability("--validation", 0, "--out", none);
        assertEquals(2, all.code());
        assertTrue(all.complaint().contains("--validation 0 holds nothing out"), all.complaint());
        Shell from = stability("--out", none, "--from", run.resolve("at-0/child-1.safetensors"), "--from-epochs", 1);
        assertEquals(2, from.code());
        assertTrue(from.complaint().contains("--from"), from.complaint());
        assertFalse(Files.exists(none));
    }
}
