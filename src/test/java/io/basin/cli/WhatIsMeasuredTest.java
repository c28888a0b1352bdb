package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.compare.Comparison;
import io.basin.compare.MethodRun;
import io.basin.data.DataSets;
import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.EpochMetrics;
import io.basin.io.Json;
import io.basin.methods.Method;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.train.Model;
import io.basin.train.Splits;
import io.basin.train.Training;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

/** Whoever asks for a method's figures gets what the method ends with, from the library as from the command line. */
class WhatIsMeasuredTest {
    /** One of each kind: the last weights, an average, members of one run and of several, a mean, samples, a width. */
    private static final List<String> METHODS =
            List.of("sgd", "swa", "swag", "lawa", "swap", "fge", "independent", "posthoc-ema");

    @TempDir
    static Path shared;

    private static Path data;
    private static Path run;
    private static Shell compared;

    private static List<Object> flags() {
        return List.of(
                "mnist",
                "--data-dir=" + data,
                "--model=small-cnn",
                "--validation=20",
                "--batch-size=10",
                "--epochs=1.5",
                "--lr=0.02",
                "--fge-start=0.5",
                "--swag-samples=3",
                "--swap-workers=2");
    }

    @BeforeAll
    static void compareAllMethods() {
        data = Shell.grey(shared.resolve("data"), 100, 40);
        run = shared.resolve("run");
        List<Object> args = new ArrayList<>(List.of("compare"));
        args.addAll(flags());
        args.addAll(List.of("--methods", String.join(",", METHODS), "--bn-update", "exact", "--all-combiners"));
        args.addAll(List.of("--device", "cpu", "--threads", 1, "--keep", "all", "--out", run));
        compared = Shell.run(args.toArray());
        assertEquals(0, compared.code(), compared.err());
        assertFalse(compared.out().contains("FAILED"), compared.out());
    }

    /** A vote's share of 0 is no probability: its logarithm would be a floor of our choice. */
    @Test
    void votesAndRidgesScoresHaveNeitherLikelihoodNorCalibrationError() throws IOException {
        int seen = 0;
        for (String line : compared.out().lines().toList()) {
            if (!line.contains("(vote)") && !line.contains("(ridge)")) continue;
            assertTrue(line.matches(".*%? +n/a +n/a.*"), line);
            seen++;
        }
        assertEquals(4, seen, compared.out());
        for (JsonNode row : Json.read(run.resolve("results.json")).path("rows")) {
            boolean none =
                    List.of("vote", "ridge").contains(row.path("combiner").asText());
            JsonNode score = row.path("scores").path(0);
            assertEquals(none, score.path("nll").isNull(), row.toString());
            assertEquals(none, score.path("ece").isNull(), row.toString());
        }
        String page = Files.readString(run.resolve("report.html"));
        // NLL and ECE of four rows, in a table whose other combiners have no temperature either.
        assertEquals(2 * 4, page.split("<td>n/a</td>", -1).length - 1);
        Path json = shared.resolve("vote.json");
        Shell voted = ensemble(run.resolve("seed-1/fge"), "--combine", "vote", "--json", json);
        assertTrue(voted.out().lines().skip(1).limit(1).allMatch(l -> l.matches(".* n/a +n/a .*")), voted.out());
        assertTrue(voted.out().contains(", NLL n/a, ECE n/a over 40 samples"), voted.out());
        assertTrue(Json.read(json).path("vote").path(0).path("nll").isNull());
        assertTrue(Json.read(json).path("mean").path(0).path("nll").isNumber());
    }

    private static TrainingOptions options() {
        String[] words = flags().stream().map(Object::toString).toArray(String[]::new);
        return CommandLine.populateCommand(new TrainingOptions(), words);
    }

    private static Method plan(String method, int stepsPerEpoch) {
        return options().plan(List.of(method), stepsPerEpoch).get(0);
    }

    private static Splits splits(Device device) {
        return Comparison.splits(
                device, DataSets.load("mnist", data, Progress.NONE), options().settings());
    }

    private static MethodRun run(Splits splits, Method method) {
        return new MethodRun(splits, net(splits), method, options().settings());
    }

    private static Graph net(Splits splits) {
        return Nets.build("small-cnn", splits.train().sample(), 10);
    }

    private static JsonNode score(String method) {
        for (JsonNode row : Json.read(run.resolve("results.json")).path("rows")) {
            String combiner = row.path("combiner").asText();
            boolean primary = combiner.isEmpty() || combiner.equals("mean");
            if (primary && row.path("method").asText().equals(method)) {
                return row.path("scores").path(0);
            }
        }
        throw new AssertionError(method);
    }

    @Test
    void theLibrarysRunOfEveryMethodMeasuresWhatCompareDoes() {
        for (String method : METHODS) {
            try (Device device = Devices.open("cpu", 1);
                    Splits splits = splits(device)) {
                Method recipe = plan(method, splits.stepsPerEpoch());
                same(method, run(splits, recipe).run(1));
            }
        }
    }

    private static void same(String method, EpochMetrics totals) {
        JsonNode score = score(method);
        assertEquals(score.path("accuracy").asDouble(), totals.accuracy(), 1e-12, method);
        assertEquals(score.path("nll").asDouble(), totals.meanLoss(), 1e-6, method);
    }

    /** README's loop. */
    @Test
    void aSessionOfOneRunIsMeasuredByItsMethodsResultAndTwoRunsAreNoSession() {
        for (String method : METHODS) {
            try (Device device = Devices.open("cpu", 1);
                    Splits splits = splits(device)) {
                Method recipe = plan(method, splits.stepsPerEpoch());
                MethodRun run = run(splits, recipe);
                if (recipe.parts() > 1) {
                    String no = assertThrows(IllegalArgumentException.class, () -> run.training(run.model(), 1000))
                            .getMessage();
                    assertTrue(no.contains("call MethodRun.run"), no);
                    continue;
                }
                try (Model model = run.model();
                        Training session = run.training(model, 1000)) {
                    if (!method.equals("sgd")) tooEarly(run, session);
                    while (session.step() < session.steps()) session.advance();
                    // SWAG's samples come from the session's seed.
                    if (!method.equals("swag")) same(method, run.test(session));
                    else assertTrue(run.test(session).seen() == 40);
                    MethodRun another = run(splits, plan(method.equals("sgd") ? "swa" : "sgd", 10));
                    assertThrows(IllegalArgumentException.class, () -> another.test(session));
                }
            }
        }
    }

    private static void tooEarly(MethodRun run, Training session) {
        session.advance();
        String no = assertThrows(IllegalStateException.class, () -> run.test(session))
                .getMessage();
        assertTrue(no.contains("this training has done 1"), no);
    }

    private static Path find(String method, String file) throws IOException {
        try (Stream<Path> files = Files.walk(run)) {
            return files.filter(f -> f.endsWith(file))
                    .filter(f -> List.of(f.getParent().getFileName().toString().split("\\+"))
                            .contains(method))
                    .findFirst()
                    .orElseThrow();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"evaluate", "predict", "average", "soup", "ensemble", "width", "connect", "surface"})
    void aRunsStateIsRefusedWhereverWeightsAreTaken(String command) throws IOException {
        Path state = find("swa", "checkpoint.safetensors");
        Path model = find("sgd", "sgd.safetensors");
        Path renamed = Files.copy(state, shared.resolve(command + "-best.safetensors"));
        for (Path file : List.of(state, renamed)) {
            List<Object> args = new ArrayList<>(List.of(command, model, file));
            if (command.equals("predict")) args.add(data.resolve("t10k-images-idx3-ubyte"));
            if (command.equals("soup")) args.add("--uniform");
            if (command.equals("surface")) args.add(model);
            if (List.of("average", "soup").contains(command)) args.addAll(List.of("--out", shared.resolve("no.st")));
            args.addAll(List.of("--data-dir", data, "--device", "cpu"));
            Shell shell = Shell.run(args.toArray());
            assertEquals(2, shell.code(), shell.err());
            assertTrue(shell.complaint().contains(file + " is the state of a run after 12 steps"), shell.complaint());
            if (file == state) assertTrue(shell.complaint().contains("name swa.safetensors"), shell.complaint());
            assertFalse(Files.exists(shared.resolve("no.st")));
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"--trajectory", "--average"})
    void aRunsStateIsRefusedAsAMarkOfASurfaceToo(String flag) throws IOException {
        Path model = find("sgd", "sgd.safetensors");
        Path state = find("fge", "checkpoint.safetensors");
        Shell shell = Shell.run("surface", model, "--directions", "filter", flag, state, "--data-dir", data);
        assertEquals(2, shell.code());
        assertTrue(shell.complaint().contains("is the state of a run"), shell.complaint());
        assertTrue(shell.complaint().contains("basin ensemble"), shell.complaint());
    }

    @Test
    void anEnsembleOfAFolderTakesOneMethodsModelsUnlessAskedForMore() throws IOException {
        Files.copy(find("sgd", "sgd.safetensors"), run.resolve("bend-1.safetensors"));
        Shell mixed = ensemble(run);
        assertEquals(2, mixed.code());
        assertTrue(mixed.complaint().contains("--method"), mixed.complaint());
        assertTrue(mixed.complaint().contains("fge, independent, lawa"), mixed.complaint());
        Shell fge = ensemble(run, "--method", "fge");
        assertEquals(0, fge.code(), fge.err());
        double accuracy = 100 * score("fge").path("accuracy").asDouble();
        assertTrue(fge.out().contains(String.format(java.util.Locale.ROOT, "mean: accuracy %.2f %%", accuracy)));
        assertEquals(0, ensemble(run.resolve("seed-1/fge")).code(), "a folder of one method needs no flag");
        Shell swa = ensemble(run, "--method", "swa,independent");
        assertTrue(swa.out().contains("all 3, mean:"), swa.out());
        Shell all = ensemble(run, "--method", "all");
        assertEquals(0, all.code(), all.err());
        assertFalse(all.out().contains("bend-") || all.out().contains("checkpoint"), all.out());
        Shell none = ensemble(run.resolve("seed-1/fge"), "--method", "swa");
        assertEquals(2, none.code());
        assertTrue(none.complaint().contains("no models of swa, but of fge"), none.complaint());
    }

    private static Shell ensemble(Object... args) {
        List<Object> all = new ArrayList<>(List.of("ensemble", "--data-dir", data, "--device", "cpu"));
        all.addAll(List.of(args));
        return Shell.run(all.toArray());
    }
}
