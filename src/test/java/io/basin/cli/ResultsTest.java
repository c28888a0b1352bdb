package io.basin.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import io.basin.io.Json;
import io.basin.report.Statistics;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.IntStream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Results for programs: CSV and JSON with names that stay and all digits, and nothing else on stdout. */
class ResultsTest {
    private static final String COLUMNS =
            "method,epochs,bnEpochs,passes,seeds,accuracy,accuracyHalfWidth,nll,nllHalfWidth,"
                    + "calibrated,calibratedHalfWidth,ece,eceHalfWidth,vsSgd,vsSgdHalfWidth,pHolm";

    @TempDir
    static Path shared;

    private static Path data;
    private static Path run;
    private static Path csv;
    private static Shell comparison;

    @BeforeAll
    static void compareTwoMethods() {
        data = Shell.grey(shared.resolve("data"), 240, 100);
        run = shared.resolve("run");
        csv = shared.resolve("table.csv");
        Locale usual = Locale.getDefault();
        try {
            Locale.setDefault(Locale.GERMANY);
            comparison = train(
                    "compare",
                    "--out",
                    run,
                    "--methods",
                    "sgd,swa,snapshot",
                    "--seeds",
                    3,
                    "--csv",
                    csv,
                    "--json",
                    "-");
        } finally {
            Locale.setDefault(usual);
        }
    }

    private static Shell train(String command, Object... more) {
        List<Object> args = new ArrayList<>(List.of(command, "mnist", "--data-dir", data, "--device", "cpu"));
        args.addAll(
                List.of("--model", "lenet-bn", "--validation", 40, "--batch-size", 20, "--epochs", 1, "--lr", 0.01));
        args.addAll(List.of("--threads", 1));
        args.addAll(List.of(more));
        return Shell.run(args.toArray());
    }

    private static JsonNode score(int row, int seed) {
        return Json.read(run.resolve("results.json"))
                .path("rows")
                .path(row)
                .path("scores")
                .path(seed);
    }

    private static double[] accuracies(String method) {
        for (JsonNode row : Json.read(run.resolve("results.json")).path("rows")) {
            if (!row.path("method").asText().equals(method)) continue;
            return IntStream.range(0, 3)
                    .mapToDouble(
                            i -> row.path("scores").path(i).path("accuracy").asDouble())
                    .toArray();
        }
        throw new AssertionError(method);
    }

    @Test
    void theTableHasARowAMethodWithEveryDigitInAnyLanguage() throws IOException {
        assertEquals(0, comparison.code(), comparison.err());
        List<String> lines = Files.readAllLines(csv);
        assertEquals(COLUMNS, lines.get(0));
        assertEquals(5, lines.size(), "one row a method, and SGD's net with statistics measured anew: " + lines);
        assertTrue(lines.get(2).startsWith("\"sgd, statistics measured anew\","), lines.get(2));
        double[] sgd = accuracies("sgd");
        double[] swa = accuracies("swa");
        String[] baseline = lines.get(1).split(",", -1);
        assertEquals(List.of("sgd", "3"), List.of(baseline[0], baseline[4]));
        assertEquals(Statistics.mean(sgd), Double.parseDouble(baseline[5]));
        assertEquals(List.of("", "", ""), List.of(baseline).subList(13, 16), "SGD is not compared with itself");
        String[] cells = lines.get(3).split(",", -1);
        assertEquals(16, cells.length);
        assertEquals("swa", cells[0]);
        assertEquals(Statistics.mean(swa), Double.parseDouble(cells[5]));
        assertEquals(Statistics.tInterval(swa).halfWidth(), Double.parseDouble(cells[6]), 1e-12);
        assertEquals(Statistics.mean(swa) - Statistics.mean(sgd), Double.parseDouble(cells[13]), 1e-12);
        assertEquals(Statistics.paired(swa, sgd).interval().halfWidth(), Double.parseDouble(cells[14]), 1e-12);
        assertTrue(Double.parseDouble(cells[15]) >= Statistics.paired(swa, sgd).p(), cells[15]);
    }

    @Test
    void stdoutHoldsTheJsonAndNothingElse() {
        JsonNode said = Json.parse(comparison.out(), "stdout");
        JsonNode kept = Json.read(run.resolve("results.json"));
        assertEquals(kept.path("rows"), said.path("rows"));
        assertEquals(kept.path("facts"), said.path("facts"));
        assertEquals(4, said.path("table").size());
        assertEquals(
                Statistics.mean(accuracies("swa")),
                said.path("table").path(2).path("accuracy").asDouble());
        assertTrue(comparison.err().contains("Report: " + run.resolve("report.html")), comparison.err());
    }

    /** Where no half budget was trained, all of a run's outputs say so with the same words. */
    @Test
    void aBudgetThatWasNotCheckedIsSaidEverywhere() throws IOException {
        String said = "Budget not checked: add independent to --methods.";
        assertTrue(Json.parse(comparison.out(), "stdout")
                .path("conclusion")
                .asText()
                .endsWith(said));
        assertTrue(Json.read(run.resolve("results.json"))
                .path("conclusion")
                .asText()
                .endsWith(said));
        assertTrue(Files.readString(run.resolve("report.html")).contains(said));
    }

    /** Each row of the page's settings is a flag and its value, and all of them together ask for the same run. */
    @Test
    void theSettingsAreWhatTheCommandLineTakes() throws IOException {
        String html = Files.readString(run.resolve("report.html"));
        String table = html.substring(html.indexOf("<summary>Settings"));
        List<String> words = new ArrayList<>(List.of("compare"));
        Matcher m = Pattern.compile("<th>([^<]*)</th><td>([^<]*)</td>").matcher(table);
        while (m.find()) {
            assertTrue(m.group(1).matches("DATASET|--[a-z-]+[0-9]?"), m.group());
            assertFalse(m.group(2).matches(".*([A-Z]|\\.0$|\\d{13}).*"), m.group());
            boolean flag = !m.group(1).equals("DATASET");
            words.add((flag ? m.group(1) : "") + (m.group(2).isEmpty() ? "" : (flag ? "=" : "") + m.group(2)));
        }
        assertTrue(words.containsAll(List.of("mnist", "--seeds=3", "--lr=0.01", "--augment=none")), words.toString());
        TrainingOptions all = ((RunOptions.Trains) Main.parsed(words)).flagged().training();
        TrainingOptions few = ((RunOptions.Trains) Main.parsed(
                        List.of(("compare mnist --model lenet-bn --validation 40 --batch-size 20 --epochs 1 --lr 0.01")
                                .split(" "))))
                .flagged()
                .training();
        assertEquals(few.settings(), all.settings());
        assertEquals(few.budget(), all.budget());
        List<String> methods = List.of("swa", "snapshot");
        for (int i = 0; i < 2; i++)
            assertEquals(
                    few.plan(methods, 10).get(i).identity(),
                    all.plan(methods, 10).get(i).identity());
    }

    @Test
    void theFlagsAreNoPartOfTheRun() {
        assertFalse(Json.read(run.resolve("config.json"))
                .path("arguments")
                .toString()
                .contains("table.csv"));
    }

    @Test
    void evaluateGivesTheComparisonsFiguresToTheLastDigit() {
        Path sgd = run.resolve("seed-1/sgd/sgd.safetensors");
        Path swa = run.resolve("seed-1/swa/swa.safetensors");
        Shell table = Shell.run("evaluate", sgd, "--data-dir", data, "--threads", 1, "--csv", "-");
        assertEquals(0, table.code(), table.err());
        JsonNode score = score(0, 0);
        assertEquals(
                "file,model,dataset,samples,corruption,strength,accuracy,nll,ece\n" + sgd
                        + ",lenet-bn,mnist,100,none,0,"
                        + score.path("accuracy").asText() + ","
                        + score.path("nll").asText() + ","
                        + score.path("ece").asText() + "\n",
                table.out());
        Shell both =
                Shell.run("evaluate", sgd, swa, "--data-dir", data, "--threads", 1, "--json", "-", "--ood", "noise");
        JsonNode json = Json.parse(both.out(), "stdout");
        assertEquals(2, json.path("files").size());
        assertEquals("uniform noise", json.at("/files/1/outside/0/set").asText());
        double p = Statistics.mcNemar(
                json.at("/mcnemar/onlyFirst").asInt(),
                json.at("/mcnemar/onlySecond").asInt());
        assertEquals(p, json.at("/mcnemar/p").asDouble());
    }

    @Test
    void predictGivesTheLikeliestClassesOfEveryImage() throws IOException {
        Path weights = run.resolve("seed-1/swa/swa.safetensors");
        Path images = data.resolve("t10k-images-idx3-ubyte");
        Path table = shared.resolve("classes, \"of\" images.csv");
        Shell shell =
                Shell.run("predict", weights, images, "--data-dir", data, "--top", 3, "--csv", table, "--json", "-");
        assertEquals(0, shell.code(), shell.err());
        List<String> lines = Files.readAllLines(table);
        assertEquals("image,vote,rank,label,name,probability", lines.get(0));
        assertEquals(1 + 3 * 100, lines.size());
        JsonNode json = Json.parse(shell.out(), "stdout");
        assertEquals(100, json.size());
        JsonNode first = json.path(0).path("classes");
        String[] cells = lines.get(1).split(",", -1);
        assertEquals(images + "[0]", cells[0]);
        assertEquals(first.path(0).path("name").asText(), cells[4]);
        assertEquals(first.path(0).path("probability").asDouble(), Double.parseDouble(cells[5]));
        assertTrue(first.path(0).path("probability").asDouble()
                >= first.path(1).path("probability").asDouble());
    }

    @Test
    void whatCannotBeWrittenIsRefusedBeforeAnythingIsTrained() {
        Path none = shared.resolve("none");
        Shell missing = train("train", "--out", none, "--csv", shared.resolve("missing/table.csv"));
        assertEquals(2, missing.code());
        assertTrue(missing.complaint().contains("--csv: the folder"), missing.complaint());
        Shell both = train("train", "--out", none, "--csv", "-", "--json", "-");
        assertEquals(2, both.code());
        assertTrue(both.complaint().contains("only one of them"), both.complaint());
        assertFalse(Files.exists(none));
    }

    /** A report for a single net has no column of differences, and says nothing of chance. */
    @Test
    void trainWritesAReportOfItsOwn() throws IOException {
        Path alone = shared.resolve("alone");
        Shell done = train("train", "--out", alone);
        assertEquals(0, done.code(), done.err());
        String html = Files.readString(alone.resolve("report.html"));
        for (String figure : List.of("Learning rate", "Training loss", "Validation accuracy", "average"))
            assertTrue(html.toLowerCase(Locale.ROOT).contains(figure.toLowerCase(Locale.ROOT)), figure);
        assertTrue(html.contains("One method alone") && !html.contains("<th>vs SGD"), html);
        assertFalse(done.out().contains("vs SGD") || done.out().contains("chance"), done.out());
        assertTrue(done.out().contains("Weights: " + alone.resolve("seed-1/swa/swa.safetensors")), done.out());
        assertEquals(1, Json.read(alone.resolve("results.json")).path("rows").size());
    }
}
