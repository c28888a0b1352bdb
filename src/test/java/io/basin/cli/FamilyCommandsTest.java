package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import io.basin.io.Safetensors;
import io.basin.io.SafetensorsWriter;
import io.basin.report.Statistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** SWAG, SWAP and everything that is said beside the table, from end to end. */
class FamilyCommandsTest {
    @TempDir
    static Path shared;

    private static Path data;
    private static Path run;
    private static Shell first;

    @BeforeAll
    static void compareTheFamily() {
        data = Shell.grey(shared.resolve("data"), 240, 100);
        run = shared.resolve("run");
        first = compare("--out", run, "--corruptions", "--ood", "noise", "--keep-samples");
    }

    private static Shell compare(Object... more) {
        List<Object> args =
                new ArrayList<>(List.of("compare", "mnist", "--data-dir", data, "--device", "cpu", "--keep", "all"));
        args.addAll(List.of("--model", "lenet-bn", "--validation", 40, "--batch-size", 20, "--epochs", 2));
        args.addAll(List.of("--lr", 0.02, "--threads", 1, "--swag-samples", 3, "--swap-workers", 2));
        args.addAll(List.of("--methods", "sgd,swa,swag,swap,ema,lawa,snapshot"));
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    private static JsonNode evidence() {
        return Json.read(run.resolve("results.json")).path("evidence");
    }

    private static JsonNode row(String method) {
        for (JsonNode row : Json.read(run.resolve("results.json")).path("rows")) {
            if (row.path("method").asText().equals(method)) return row;
        }
        throw new AssertionError(method);
    }

    @Test
    void swagAndSwapLearnAtTheSameBudget() {
        assertEquals(0, first.code(), first.err());
        for (String method : List.of("sgd", "swa", "swag", "swap")) {
            assertEquals(2.0, row(method).path("epochs").asDouble(), 1e-9, method);
            double accuracy =
                    row(method).path("scores").path(0).path("accuracy").asDouble();
            assertTrue(accuracy > 0.5, method + " " + accuracy);
        }
        assertEquals(3, row("swag").path("passes").asInt());
        assertEquals(1, row("swap").path("passes").asInt());
    }

    @Test
    void swapsWorkersPartAndTheirMeanIsInFloat64() {
        Path swap = run.resolve("seed-1/swap");
        List<Path> members = List.of(member(swap.resolve("run-1")), member(swap.resolve("run-2")));
        try (Safetensors a = Safetensors.open(members.get(0));
                Safetensors b = Safetensors.open(members.get(1));
                Safetensors mean = Safetensors.open(swap.resolve("swap.safetensors"))) {
            assertEquals(a.metadata().get("init"), b.metadata().get("init"), "workers share their initialisation");
            boolean parted = false;
            for (String name : mean.tensors().keySet()) {
                if (name.contains("running")) continue;
                float[] x = a.floats(name);
                float[] y = b.floats(name);
                float[] m = mean.floats(name);
                parted |= !Arrays.equals(x, y);
                for (int i = 0; i < m.length; i++) assertEquals((float) (((double) x[i] + y[i]) / 2), m[i]);
            }
            assertTrue(parted, "both workers drew the same batches");
        }
    }

    /** Of 100 test samples: the two counts of McNemar's test differ by as much as the two nets' hits. */
    @Test
    void twoFilesAreTestedAgainstEachOtherOnTheSameSamples() throws IOException {
        Path sgd = named("sgd.safetensors");
        Path swa = named("swa.safetensors");
        Path svg = shared.resolve("reliability.svg");
        Shell done = Shell.run("evaluate", sgd, swa, "--data-dir", data, "--device", "cpu", "--reliability", svg);
        assertEquals(0, done.code(), done.err());
        Matcher hits = Pattern.compile("accuracy (\\d+)\\.00 %").matcher(done.out());
        assertTrue(hits.find(), done.out());
        int first = Integer.parseInt(hits.group(1));
        assertTrue(hits.find(), done.out());
        int second = Integer.parseInt(hits.group(1));
        Matcher test = Pattern.compile(
                        "McNemar's exact test: (\\d+) samples only the first has right, (\\d+) only the second; p = ([0-9.]+)")
                .matcher(done.out());
        assertTrue(test.find(), done.out());
        int onlyFirst = Integer.parseInt(test.group(1));
        int onlySecond = Integer.parseInt(test.group(2));
        assertEquals(first - second, onlyFirst - onlySecond, done.out());
        assertEquals(Statistics.mcNemar(onlyFirst, onlySecond), Double.parseDouble(test.group(3)), 5e-5);
        // Text is drawn as outlines: the two nets and the diagonal show by their colours.
        String drawn = Files.readString(svg);
        for (String colour : List.of("rgb(0,114,178)", "rgb(213,94,0)", "rgb(0,158,115)")) {
            assertTrue(drawn.contains("stroke:" + colour), colour);
        }
    }

    private static Path named(String name) throws IOException {
        try (Stream<Path> files = Files.walk(run)) {
            return files.filter(f -> f.getFileName().toString().equals(name))
                    .findFirst()
                    .orElseThrow();
        }
    }

    private static Path member(Path folder) {
        try (Stream<Path> files = Files.list(folder)) {
            List<Path> members = files.filter(f -> f.getFileName().toString().startsWith("member-"))
                    .toList();
            assertEquals(1, members.size(), folder.toString());
            return members.get(0);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void aComparisonThatLostAWorkerAndItsScoresEndsWithTheSameBytes() throws IOException {
        Path again = shared.resolve("again");
        try (Stream<Path> all = Files.walk(run)) {
            for (Path f : all.toList()) {
                String at = run.relativize(f).toString();
                if (at.startsWith("seed-1/swap/run-2") || at.endsWith("scores.json")) continue;
                Files.copy(f, again.resolve(at));
            }
        }
        Shell shell = compare("--resume", again, "--corruptions", "--ood", "noise");
        assertEquals(0, shell.code(), shell.err());
        for (String file : List.of("seed-1/swap/swap.safetensors", "seed-1/swa+swag/swa.safetensors")) {
            assertArrayEquals(Files.readAllBytes(run.resolve(file)), Files.readAllBytes(again.resolve(file)), file);
        }
        assertEquals(
                Json.text(Json.read(run.resolve("results.json")).path("rows")),
                Json.text(Json.read(again.resolve("results.json")).path("rows")));
        assertEquals(
                Json.text(evidence()),
                Json.text(Json.read(again.resolve("results.json")).path("evidence")));
    }

    @Test
    void aStoredModelThatWasChangedFailsTheSelfCheck() throws IOException {
        Path tampered = shared.resolve("tampered");
        copy(run, tampered);
        Path swa = tampered.resolve("seed-1/swa+swag");
        Files.delete(swa.resolve("scores.json"));
        Path member;
        try (Stream<Path> files = Files.list(swa)) {
            member = files.filter(f -> f.getFileName().toString().startsWith("member-"))
                    .sorted()
                    .toList()
                    .get(3);
        }
        SafetensorsWriter writer = Safetensors.writer();
        try (Safetensors in = Safetensors.open(member)) {
            writer.metadata(in.metadata());
            for (String name : in.tensors().keySet()) {
                float[] values = in.floats(name);
                if (name.endsWith("conv2.weight") || values.length > 1000) values[7] += 1e-3f;
                long[] shape =
                        in.tensor(name).shape().stream().mapToLong(n -> n).toArray();
                writer.add(name, shape, values);
            }
        }
        writer.write(member);
        Shell shell = compare("--resume", tampered);
        assertEquals(1, shell.code(), shell.err());
        assertTrue(shell.complaint().contains("a self-check failed"), shell.err());
        assertTrue(shell.out().contains("FAILED: average = float64 mean of the stored models"), shell.out());
    }

    private static void copy(Path from, Path to) throws IOException {
        try (Stream<Path> all = Files.walk(from)) {
            for (Path f : all.toList())
                Files.copy(f, to.resolve(from.relativize(f).toString()));
        }
    }

    @Test
    void averagingTheStoredModelsGivesTheRunsOwnAverage() throws IOException {
        Path out = shared.resolve("averaged.safetensors");
        List<Object> args = new ArrayList<>(List.of("average"));
        try (Stream<Path> files = Files.list(run.resolve("seed-1/swa+swag"))) {
            files.filter(f -> f.getFileName().toString().startsWith("member-")).forEach(args::add);
        }
        args.addAll(List.of("--out", out, "--data-dir", data, "--threads", 1));
        Shell shell = Shell.run(args.toArray());
        assertEquals(0, shell.code(), shell.err());
        try (Safetensors a = Safetensors.open(out);
                Safetensors b = Safetensors.open(run.resolve("seed-1/swa+swag/swa.safetensors"))) {
            assertEquals(a.tensors().keySet(), b.tensors().keySet());
            for (String name : a.tensors().keySet()) {
                float[] x = a.floats(name);
                float[] y = b.floats(name);
                for (int i = 0; i < x.length; i++) {
                    assertEquals(x[i], y[i], 1e-4 * Math.max(0.1, Math.abs(y[i])), name);
                }
            }
        }
    }

    @Test
    void snapshotsAreNotAveragedAcrossRestartsButTheirPredictionsAre() throws IOException {
        List<Object> members = new ArrayList<>();
        try (Stream<Path> files = Files.list(run.resolve("seed-1/snapshot"))) {
            files.filter(f -> f.getFileName().toString().startsWith("member-")).forEach(members::add);
        }
        List<Object> args = new ArrayList<>(List.of("average"));
        args.addAll(members);
        args.addAll(List.of("--out", shared.resolve("never"), "--data-dir", data));
        Shell refused = Shell.run(args.toArray());
        assertEquals(2, refused.code());
        assertTrue(refused.complaint().contains("restart"), refused.complaint());
        Shell ensemble = Shell.run(
                "ensemble", run.resolve("seed-1/snapshot"), "--data-dir", data, "--threads", 1, "--combine", "ridge");
        assertEquals(0, ensemble.code(), ensemble.err());
        for (JsonNode row : Json.read(run.resolve("results.json")).path("rows")) {
            if (!row.path("method").asText().equals("snapshot")) continue;
            double accuracy = row.path("scores").path(0).path("accuracy").asDouble();
            String line = "all " + members.size() + ", "
                    + row.path("combiner").asText() + ": accuracy "
                    + String.format(java.util.Locale.ROOT, "%.2f", 100 * accuracy);
            assertTrue(ensemble.out().contains(line), line + "\n" + ensemble.out());
        }
    }

    @Test
    void theKeptSamplesOfSwagAreAnEnsembleWithItsFigures() throws IOException {
        List<Object> args = new ArrayList<>(List.of("ensemble", "--data-dir", data, "--threads", 1));
        try (Stream<Path> files = Files.list(run.resolve("seed-1/swa+swag"))) {
            files.filter(f -> f.getFileName().toString().startsWith("sample-")).forEach(args::add);
        }
        Shell shell = Shell.run(args.toArray());
        assertEquals(0, shell.code(), shell.err());
        JsonNode score = row("swag").path("scores").path(0);
        String expected = String.format(
                java.util.Locale.ROOT,
                "all 3, mean: accuracy %.2f %%, NLL %.4f",
                100 * score.path("accuracy").asDouble(),
                score.path("nll").asDouble());
        assertTrue(shell.out().contains(expected), expected + "\n" + shell.out());
    }

    @Test
    void predictReadsIdxFilesAndNamesWhatItCannotRead() throws IOException {
        Path weights = run.resolve("seed-1/sgd+ema/sgd.safetensors");
        Path images = data.resolve("t10k-images-idx3-ubyte");
        Shell shell = Shell.run("predict", weights, images, "--data-dir", data, "--top", 1, "--threads", 1);
        assertEquals(0, shell.code(), shell.err());
        assertEquals(100, shell.out().lines().count());
        assertTrue(shell.out().contains(images + "[99]:"), shell.out());
        Path labels = data.resolve("t10k-labels-idx1-ubyte");
        Shell wrong = Shell.run("predict", weights, labels, "--data-dir", data, "--device", "cpu");
        assertEquals(1, wrong.code());
        assertTrue(wrong.complaint().contains(labels + ": is not an IDX3"), wrong.complaint());
        Path text = Files.writeString(shared.resolve("notes.txt"), "no picture");
        Shell neither = Shell.run("predict", weights, text, "--data-dir", data);
        assertEquals(1, neither.code());
        assertTrue(neither.complaint().contains("is not a picture that can be decoded"), neither.complaint());
    }

    @Test
    void severalNetsPredictWithTheirMeanAndByVote() {
        Path sgd = run.resolve("seed-1/sgd+ema/sgd.safetensors");
        Path ema = run.resolve("seed-1/sgd+ema/ema.safetensors");
        Path images = data.resolve("t10k-images-idx3-ubyte");
        double[] first = ofClassThree(Shell.run("predict", sgd, images, "--data-dir", data, "--top", 10));
        double[] second = ofClassThree(Shell.run("predict", ema, images, "--data-dir", data, "--top", 10));
        double[] both = ofClassThree(Shell.run("predict", sgd, ema, images, "--data-dir", data, "--top", 10));
        for (int i = 0; i < both.length; i++) assertEquals((first[i] + second[i]) / 2, both[i], 0.11);
        Shell voted = Shell.run("predict", sgd, ema, images, "--data-dir", data, "--vote", "--top", 1);
        assertEquals(0, voted.code(), voted.err());
        assertTrue(
                voted.out().lines().allMatch(l -> l.matches(".*: {2}by vote \\d, mean {2}\\d [0-9.]+%")), voted.out());
        Shell alone = Shell.run("predict", sgd, images, "--data-dir", data, "--vote");
        assertEquals(2, alone.code());
        assertTrue(alone.complaint().contains("--vote"), alone.complaint());
        Shell none = Shell.run("predict", sgd, ema, "--data-dir", data);
        assertEquals(2, none.code());
        assertTrue(none.complaint().contains("IMAGE"), none.complaint());
    }

    /** The printed probabilities of class 3, image by image. */
    private static double[] ofClassThree(Shell shell) {
        assertEquals(0, shell.code(), shell.err());
        return shell.out()
                .lines()
                .mapToDouble(l -> Double.parseDouble(l.replaceAll(".* {2}3 ([0-9.]+)%.*", "$1")))
                .toArray();
    }

    @Test
    void everySelfCheckPassesAndWhatIsNotCoveredSaysWhy() {
        TreeMap<String, String> verdicts = new TreeMap<>();
        for (JsonNode c : evidence().path("checks")) {
            String key = c.path("where").asText() + ": " + c.path("what").asText();
            verdicts.put(key, c.path("verdict").asText());
            assertFalse(c.path("detail").asText().isEmpty(), key);
            assertFalse(c.path("verdict").asText().equals("FAILED"), c.toString());
        }
        for (String method : List.of("swa", "swap", "lawa")) {
            assertEquals(
                    "passed", verdicts.get(method + ", seed 1: average = float64 mean of the stored models"), method);
        }
        assertEquals("not covered", verdicts.get("ema, seed 1: average = float64 mean of the stored models"));
        for (String method : List.of("swa", "swap", "lawa", "ema")) {
            assertEquals("passed", verdicts.get(method + ", seed 1: batch-norm statistics = the population's"), method);
        }
        for (String method : List.of("swa", "swag", "swap", "lawa", "snapshot")) {
            assertEquals(
                    "passed",
                    verdicts.get(method + ", seed 1: models are collected at the promised rate and phase"),
                    method);
        }
    }

    @Test
    void corruptionsAndForeignImagesAreMeasuredForEveryMethod() {
        int corrupted = 0;
        for (JsonNode c : evidence().path("corrupted")) {
            corrupted++;
            if (c.path("strength").asInt() > 0 || !c.path("method").asText().equals("swa")) continue;
            assertEquals(
                    row("swa").path("scores").path(0).path("accuracy").asDouble(),
                    c.path("accuracy").asDouble());
        }
        assertEquals(7 * (1 + 3 * 5), corrupted);
        assertEquals(7, evidence().path("outside").size());
        for (JsonNode o : evidence().path("outside")) {
            double auroc = o.path("auroc").asDouble();
            assertTrue(auroc >= 0 && auroc <= 1, o.toString());
        }
    }

    @Test
    void oneSeedTestsSingleNetsAndClaimsNothingOfMethods() {
        int tests = 0;
        for (JsonNode t : evidence().path("tests")) {
            tests++;
            assertTrue(t.path("holm").asDouble() >= t.path("p").asDouble());
        }
        assertEquals(4, tests, "swa, swap, ema and lawa are single nets");
        assertTrue(first.out().contains("1 seed: no intervals"), first.out());
        assertFalse(first.out().contains("better than SGD"), first.out());
    }
}
