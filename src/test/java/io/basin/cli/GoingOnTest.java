package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Training that goes on from a net, products at several budgets, and training without a held-out part. */
class GoingOnTest {
    @TempDir
    static Path shared;

    private static Path data;
    /** SGD at a constant rate for half of the budget. */
    private static Path half;

    @BeforeAll
    static void trainHalfABudget() {
        data = Shell.grey(shared.resolve("data"), 240, 100);
        half = shared.resolve("half");
        assertDone(train("sgd", half, "--epochs", 2));
    }

    private static Shell train(String method, Path out, Object... more) {
        return basin("train", List.of("--method", method, "--schedule", "constant", "--out", out), more);
    }

    private static Shell compare(Path out, Object... more) {
        return basin("compare", List.of("--out", out), more);
    }

    private static Shell basin(String command, List<Object> first, Object... more) {
        List<Object> args =
                new ArrayList<>(List.of(command, "mnist", "--data-dir", data, "--device", "cpu", "--keep", "all"));
        args.addAll(List.of("--batch-size", 20, "--lr", 0.02, "--threads", 1));
        if (!List.of(more).contains("--model")) args.addAll(List.of("--model", "lenet-bn"));
        if (!List.of(more).contains("--validation")) args.addAll(List.of("--validation", 40));
        args.addAll(first);
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    private static void assertDone(Shell shell) {
        assertEquals(0, shell.code(), shell.err());
        assertFalse(shell.out().contains("FAILED"), shell.out());
    }

    private static Set<String> models(Path folder) throws IOException {
        try (Stream<Path> files = Files.list(folder)) {
            return new TreeSet<>(files.map(f -> f.getFileName().toString())
                    .filter(f -> f.startsWith("member-") || f.equals("swa.safetensors"))
                    .toList());
        }
    }

    private static void assertSameWeights(Path one, Path other) throws IOException {
        assertFalse(models(one).isEmpty());
        assertEquals(models(one), models(other));
        for (String file : models(one)) {
            try (Safetensors a = Safetensors.open(one.resolve(file));
                    Safetensors b = Safetensors.open(other.resolve(file))) {
                for (String name : a.tensors().keySet()) {
                    assertArrayEquals(a.floats(name), b.floats(name), file + " " + name);
                }
            }
        }
    }

    /** From a checkpoint of the same seed: momentum, statistics and the order of samples are what they would have been. */
    @Test
    void goingOnFromACheckpointGivesTheBitsOfTheRunInOnePiece() throws IOException {
        Path checkpoint = half.resolve("seed-1/sgd/checkpoint.safetensors");
        for (String method : List.of("fge", "swa", "swag")) {
            // SWA's rate begins to fall at half of its start.
            Object[] flags = {"--epochs", method.equals("fge") ? 4 : 8, "--fge-start", 0.5, "--swag-samples", 2};
            Path whole = shared.resolve("whole-" + method);
            assertDone(train(method, whole, flags));
            List<Object> more = new ArrayList<>(List.of(flags));
            more.addAll(List.of("--from", checkpoint));
            Path rest = shared.resolve("rest-" + method);
            assertDone(train(method, rest, more.toArray()));
            assertSameWeights(whole.resolve("seed-1/" + method), rest.resolve("seed-1/" + method));
        }
    }

    /** The state of a run that goes on from a file is a checkpoint like any other. */
    @Test
    void aRunThatGoesOnResumesFromItsOwnCheckpoint() throws IOException {
        Path file = half.resolve("seed-1/sgd/sgd.safetensors");
        Path run = shared.resolve("resumed");
        assertDone(train("swa", run, "--epochs", 4, "--from", file));
        Path made = run.resolve("seed-1/swa");
        byte[] lines = Files.readAllBytes(made.resolve("metrics.jsonl"));
        Files.delete(made.resolve("scores.json"));
        Shell again = Shell.run("train", "--resume", run);
        assertDone(again);
        assertArrayEquals(lines, Files.readAllBytes(made.resolve("metrics.jsonl")));
        assertEquals(
                2,
                new String(lines, java.nio.charset.StandardCharsets.UTF_8)
                        .lines()
                        .count());
        Shell other = Shell.run("train", "--resume", run, "--from", half.resolve("seed-1/sgd/checkpoint.safetensors"));
        assertEquals(2, other.code());
        assertTrue(other.complaint().contains("--from"), other.complaint());
    }

    @Test
    void whatCannotGoOnIsRefusedByName() {
        Path file = half.resolve("seed-1/sgd/sgd.safetensors");
        assertRefused("nothing is left; raise --epochs, or name larger --budgets", "--epochs", 2, "--from", file);
        assertRefused("--from: " + file + " is of the net lenet-bn", "--model", "mlp", "--epochs", 4, "--from", file);
        assertRefused("trained on other samples", "--train-samples", 100, "--epochs", 8, "--from", file);
        assertRefused("--from-epochs says what the file of --from", "--from-epochs", 1);
        Shell snapshot = train("snapshot", shared.resolve("none"), "--epochs", 4, "--from", file);
        assertTrue(snapshot.complaint().contains("leave out --from"), snapshot.complaint());
        assertFalse(Files.exists(shared.resolve("none")));
    }

    /** As another program may write it: its sums are right. */
    @Test
    void aCheckpointThatIsNotFiniteIsRefusedBeforeThereIsAFolder() {
        Path broken = shared.resolve("broken.safetensors");
        try (Safetensors in = Safetensors.open(half.resolve("seed-1/sgd/checkpoint.safetensors"))) {
            SafetensorsWriter writer = Safetensors.writer().metadata(in.metadata());
            for (String name : in.tensors().keySet()) {
                float[] values = in.floats(name);
                if (name.startsWith("momentum")) values[0] = Float.NaN;
                long[] shape = in.tensor(name).shape().stream()
                        .mapToLong(Long::longValue)
                        .toArray();
                writer.add(name, shape, values);
            }
            writer.write(broken);
        }
        Shell shell = train("swa", shared.resolve("none"), "--epochs", 4, "--from", broken);
        assertEquals(1, shell.code(), shell.err());
        assertTrue(shell.complaint().contains(broken + ": tensor 'momentum"), shell.complaint());
        assertTrue(shell.complaint().contains("is not finite"), shell.complaint());
        assertFalse(Files.exists(shared.resolve("none")));
    }

    private static void assertRefused(String why, Object... flags) {
        Shell shell = train("swa", shared.resolve("none"), flags);
        assertEquals(2, shell.code(), shell.err());
        assertTrue(shell.complaint().contains(why), shell.complaint());
    }

    private static JsonNode row(Path run, String method, String combiner) {
        for (JsonNode row : Json.read(run.resolve("results.json")).path("rows")) {
            if (row.path("method").asText().equals(method)
                    && row.path("combiner").asText().equals(combiner)) return row;
        }
        throw new AssertionError(method + " " + combiner);
    }

    private static double nll(JsonNode row) {
        return row.path("scores").path(0).path("nll").asDouble();
    }

    /** One run gives what runs of each length would have given. */
    @Test
    void productsAtSeveralBudgetsAreThoseOfRunsThatEndThere() {
        Path several = shared.resolve("several");
        Shell done = compare(
                several, "--epochs", 4, "--fge-start", 0.5, "--methods", "sgd,swa,fge", "--budgets", "1,1.25,1.5");
        assertDone(done);
        assertTrue(done.out().contains("swa (at 1.25 budgets)"), done.out());
        Path one = shared.resolve("one");
        assertDone(compare(one, "--epochs", 4, "--fge-start", 0.5, "--methods", "sgd,swa,fge"));
        for (String method : List.of("sgd", "swa", "fge")) {
            String combiner = method.equals("fge") ? "mean" : "";
            assertEquals(nll(row(one, method, combiner)), nll(row(several, method, combiner)), 1e-5, method);
            assertEquals(4, row(several, method, combiner).path("epochs").asDouble(), 1e-9);
        }
        assertEquals(6, row(several, "swa", "at 1.5 budgets").path("epochs").asDouble(), 1e-9);
        assertEquals(4, row(one, "fge", "mean").path("passes").asInt());
        assertEquals(7, row(several, "fge", "at 1.5 budgets").path("passes").asInt());
        assertTrue(nll(row(several, "swa", "at 1.5 budgets")) < nll(row(several, "swa", "")), done.out());
        assertTrue(Files.exists(several.resolve("seed-1/swa/swa-1.5.safetensors")));
    }

    @Test
    void withoutAHeldOutPartAllIsTrainedOnAndNothingIsFitted() throws IOException {
        Path run = shared.resolve("all");
        Shell done = compare(run, "--epochs", 2, "--methods", "sgd,swa,snapshot", "--validation", 0, "--all-combiners");
        assertDone(done);
        assertTrue(done.err().contains("no sample is held out, as --validation is 0"), done.err());
        assertTrue(Json.read(run.resolve("results.json"))
                .path("facts")
                .path("data")
                .asText()
                .contains("240 training, 0 validation"));
        assertFalse(done.out().contains("ridge"), done.out());
        assertTrue(done.out().contains("(vote)"), done.out());
        String metrics = Files.readString(run.resolve("metrics.jsonl"));
        assertFalse(metrics.contains("validation") || metrics.contains("average_"), metrics);
        assertTrue(row(run, "swa", "").path("scores").path(0).path("calibrated").asDouble() > 0);
        Path swa = run.resolve("seed-1/swa/swa.safetensors");
        Path member = run.resolve("seed-1/swa/member-17.safetensors");
        Shell soup = Shell.run("soup", "--greedy", member, swa, "--data-dir", data, "--out", shared.resolve("no-soup"));
        assertEquals(2, soup.code(), soup.err());
        assertTrue(soup.complaint().contains("names no samples that were held out"), soup.complaint());
        Shell tuned = compare(shared.resolve("none"), "--validation", 0, "--tune");
        assertTrue(tuned.complaint().contains("--tune"), tuned.complaint());
    }
}
