package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.basin.io.FormatException;
import io.basin.io.Json;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Finished comparisons side by side. */
class RegimesTest {
    @TempDir
    Path folder;

    private int written;

    /** A run folder as {@code compare} leaves it, as far as it is read. */
    private void run(double epochs, double noise, double swaLr, Summary.Row... rows) throws IOException {
        Path run = Files.createDirectories(folder.resolve("run-" + ++written));
        Json.seal(
                run.resolve("config.json"),
                Map.of(
                        "arguments", List.of("compare", "fashion-mnist"),
                        "budget", Map.of("epochs", epochs, "lr", 0.05),
                        "data", "images",
                        "device", "CPU",
                        "settings",
                                Map.of(
                                        "dataset", "fashion-mnist",
                                        "model", "lenet-bn",
                                        "data", Map.of("trainSamples", 10000, "labelNoise", noise, "pad", 0)),
                        "methodSettings", Map.of("swa", Map.of("lr", swaLr), "fge", Map.of("cycle", epochs / 10))));
        Json.write(run.resolve("results.json"), new Summary("t", Map.of(), List.of(rows), List.of(), List.of()));
    }

    private static Summary.Row row(String method, double epochs, int firstSeed, double... accuracies) {
        List<Summary.Score> scores = java.util.stream.IntStream.range(0, accuracies.length)
                .mapToObj(i -> new Summary.Score(firstSeed + i, accuracies[i] / 100, 0.5, 0.1))
                .toList();
        return new Summary.Row(method, "", epochs, 0, 1, scores);
    }

    private Regimes read() {
        return Regimes.read(List.of(folder), UnaryOperator.identity());
    }

    @Test
    void seedsThatWereRunByThemselvesAreOneComparisonPairedBySeed() throws IOException {
        // Out of order, and with a seed that SGD lacks.
        run(30, 0, 0.05, row("sgd", 30, 2, 92), row("swa", 30, 2, 94));
        run(30, 0, 0.05, row("sgd", 30, 1, 90), row("swa", 30, 1, 91));
        run(30, 0, 0.05, row("swa", 30, 3, 99));
        assertEquals(
                List.of(List.of("setting", "seeds", "sgd %", "swa"), List.of("30 epochs", "2", "91.00", "+1.50 ±6.35")),
                read().table());
        assertEquals("fashion-mnist, lenet-bn, 10,000 images, labels as published, no augmentation", read().common());
    }

    /** What older versions could not choose is what newer ones do where nobody chooses. */
    @Test
    void aSeedOfANewerVersionBelongsToThoseOfOlderOnes() throws IOException {
        run(30, 0, 0.05, row("sgd", 30, 1, 90), row("swa", 30, 1, 91));
        run(30, 0, 0.05, row("sgd", 30, 2, 92), row("swa", 30, 2, 94));
        Path config = folder.resolve("run-2").resolve("config.json");
        ObjectNode newer = Json.unseal(config);
        newer.remove("sha256");
        newer.withObject("/budget")
                .put("annealing", "SWA_PAPER")
                .put("done", 0.0)
                .putArray("multiples")
                .add(1.0);
        newer.put("from", "");
        Json.seal(config, newer);
        assertEquals(
                List.of("30 epochs", "2", "91.00", "+1.50 ±6.35"),
                read().table().get(1));
    }

    @Test
    void aRegimeIsToldFromAnotherByWhatDiffersAndItsBudgetFollowsFromHalfTheEpochs() throws IOException {
        run(15, 0.2, 0.05, row("sgd", 15, 1, 85, 86));
        run(30, 0.2, 0.05, row("sgd", 30, 1, 87, 88));
        run(60, 0.2, 0.05, row("sgd", 60, 1, 87.2, 88.2));
        run(120, 0.2, 0.05, row("sgd", 120, 1, 87, 88));
        run(30, 0, 0.05, row("sgd", 30, 1, 91, 92));
        Regimes all = read();
        assertEquals("fashion-mnist, lenet-bn, 10,000 images, no augmentation", all.common());
        assertEquals(
                List.of(
                        "20 % wrong labels; 15 epochs, below the budget",
                        "20 % wrong labels; 30 epochs, below the budget",
                        "20 % wrong labels; 60 epochs, the budget",
                        "20 % wrong labels; 120 epochs, beyond the budget",
                        "labels as published; 30 epochs"),
                all.settings().stream().map(Regimes.Setting::name).toList());
    }

    @Test
    void aMethodWithSeveralSettingsIsARowForEach() throws IOException {
        run(30, 0, 0.05, row("sgd", 30, 1, 90, 91), row("swa", 30, 1, 91, 92.5));
        run(30, 0, 0.01, row("swa", 30, 1, 90, 90.5));
        assertEquals(
                List.of("setting", "seeds", "sgd %", "swa, lr 0.05", "swa, lr 0.01"),
                read().table().get(0));
        assertEquals("-0.25 ±3.18", read().table().get(1).get(4));
    }

    @Test
    void theArticlesClaimsAreConfirmedRefutedOrOpen() throws IOException {
        run(
                30,
                0,
                0.05,
                row("sgd", 30, 1, 90, 90.1, 90.2),
                row("swa", 30, 1, 91, 91.11, 91.2),
                row("snapshot", 30, 1, 92, 92.1, 92.21),
                row("fge", 30, 1, 91.1, 91.3, 91.2));
        run(60, 0, 0.05, row("sgd", 60, 1, 90, 90.1, 90.2), row("swa", 60, 1, 91, 89, 90.2));
        List<String> verdicts = read().verdicts().stream()
                .map(v -> v.setting().epochs() + " " + v.claim() + " " + v.verdict())
                .toList();
        assertEquals(
                List.of(
                        "30.0 SWA is better than SGD confirmed",
                        "30.0 SWA costs one net confirmed",
                        "30.0 SWA is better than snapshot ensembles refuted",
                        "30.0 SWA comes close to FGE: at most 0.5 points below confirmed",
                        "60.0 SWA is better than SGD open",
                        "60.0 SWA costs one net confirmed"),
                verdicts);
        assertEquals(
                "SWA is better than SGD beyond chance in 1 of 2 settings: 30 epochs, below the budget. Undecided in 1 of 2"
                        + " settings: 60 epochs, the budget.",
                read().conclusion());
    }

    @Test
    void whatWasNotCheckedIsSaidOnceForAllSettings() throws IOException {
        run(30, 0, 0.05, row("sgd", 30, 1, 90), row("swa", 30, 1, 91));
        run(30, 0.2, 0.05, row("sgd", 30, 1, 90), row("swa", 30, 1, 91));
        run(15, 0.2, 0.05, row("sgd", 15, 1, 90), row("swa", 15, 1, 91));
        String missing = "Budget not checked: add independent to `methods`";
        String conclusion = read().conclusion();
        assertTrue(conclusion.endsWith(missing + " (labels as published; 30 epochs)."), conclusion);
        Path page = folder.resolve("page.html");
        read().page(page, text -> text.replace("`methods`", "--methods"));
        String html = Files.readString(page);
        assertTrue(html.contains("add independent to --methods (labels as published; 30 epochs)"), html);
        assertTrue(html.contains("SGD gains +0.00 points from half"), "by the run of 15 epochs");
        assertEquals(2, html.split("Budget not checked", -1).length - 1, "at the top, and where it was not");
    }

    /** Nets, epochs, and six forward passes as two epochs; each once. */
    @Test
    void whatAMethodCostsIsALine() throws IOException {
        Summary.Row swa =
                new Summary.Row("swa", "", 30, 6, 1, row("swa", 30, 1, 91).scores());
        Summary.Row anew = new Summary.Row(
                "sgd", Summary.Row.ANEW, 30, 6, 1, row("sgd", 30, 1, 90.5).scores());
        run(30, 0, 0.05, row("sgd", 30, 1, 90), anew, swa);
        run(60, 0, 0.05, row("sgd", 60, 1, 90));
        assertEquals(
                List.of(
                        List.of("method", "nets", "epochs", "BN epochs"),
                        List.of("sgd", "1", "30.0, 60.0", "0.0"),
                        List.of("swa", "1", "30.0", "2.0")),
                read().costs());
        assertEquals("sgd, statistics measured anew", read().table().get(0).get(3));
        assertEquals("+0.50", read().table().get(1).get(3));
    }

    private Path width(String... conclusions) throws IOException {
        Path run = Files.createDirectories(folder.resolve("width"));
        Json.seal(run.resolve("config.json"), Map.of("command", "width"));
        ObjectNode results = (ObjectNode) Json.tree(
                Map.of("conclusions", List.of(conclusions), "facts", Map.of("net", "mlp on mnist"), "rays", List.of()));
        Json.sealFields(run.resolve("results.json"), results, "conclusions", "facts", "rays");
        return run;
    }

    @Test
    void widthsStandBesideTheClaims() throws IOException {
        String begin = "Along random directions, where the training loss has risen by 0.1 nats: sgd 0.5, ";
        Path width = width(
                begin + "swa 0.6, p (Holm) 0.01: swa is wider.",
                begin + "swa 0.4, p (Holm) 0.01: swa is narrower.",
                begin + "swa 0.5, p (Holm) 0.9: 3 seeds cannot tell which is wider.",
                begin + "swa-cyclic 0.6, p (Holm) 0.01: swa-cyclic is wider.");
        String alone = assertThrows(IllegalArgumentException.class, this::read).getMessage();
        assertTrue(alone.contains(width + "/results.json: the width of optima"), alone);
        run(30, 0, 0.05, row("sgd", 30, 1, 90), row("swa", 30, 1, 91));
        List<List<String>> claims = read().claims();
        List<List<String>> said = claims.subList(claims.size() - 3, claims.size());
        assertEquals(
                List.of("confirmed", "refuted", "open"),
                said.stream().map(row -> row.get(2)).toList());
        assertEquals(
                List.of("SWA's optima are wider than SGD's", "mlp on mnist, random directions"),
                said.get(0).subList(0, 2));
        assertTrue(said.get(0).get(3).contains("sgd 0.5, swa 0.6"), said.toString());
        Path results = width.resolve("results.json");
        Path file = folder.resolve("all.json");
        read().write(file);
        for (List<Path> places : List.of(List.of(file), List.of(folder.resolve("run-1"), results))) {
            assertEquals(claims, Regimes.read(places, UnaryOperator.identity()).claims());
        }
        Files.writeString(results, Files.readString(results).replace("0.6", "0.7"));
        assertThrows(FormatException.class, this::read);
    }

    @Test
    void oneSmallFileHoldsWhatTheFoldersHeld() throws IOException {
        run(30, 0.2, 0.05, row("sgd", 30, 1, 90, 91), row("swa", 30, 1, 91, 92.5));
        Path file = folder.resolve("all.json");
        read().write(file);
        assertEquals(
                read().table(),
                Regimes.read(List.of(file), UnaryOperator.identity()).table());
        assertEquals(
                read().claims(),
                Regimes.read(List.of(file), UnaryOperator.identity()).claims());
        String text = Files.readString(file);
        Files.writeString(file, text.replace("0.925", "0.975"));
        assertThrows(FormatException.class, () -> Regimes.read(List.of(file), UnaryOperator.identity()));
    }

    /** Told by the name of its folder and the first digits of its content, wherever it lay. */
    @Test
    void ownDataAreNamedShortlyAndNoTableIsEmpty() throws IOException {
        own("/home/me/birds?image-size=64", "1", 16, 1, 90);
        own("/mnt/birds?image-size=64", "1", 16, 2, 91);
        own("/home/me/points.csv", "2", 8, 1, 92);
        Regimes all = Regimes.read(List.of(folder), name -> name.equals("data.batch") ? "--batch-size" : name);
        String digits = "1".repeat(8);
        assertEquals(
                List.of(
                        "birds, --batch-size 16, data " + digits + "; 30 epochs",
                        "points.csv, --batch-size 8, data " + digits.replace('1', '2') + "; 30 epochs"),
                all.settings().stream()
                        .map(Regimes.Setting::name)
                        .map(n -> n.replaceFirst("(, data \\d+)(, --batch-size \\d+)", "$2$1"))
                        .toList());
        all.page(folder.resolve("page.html"), UnaryOperator.identity());
        assertTrue(!Files.readString(folder.resolve("page.html")).contains("The article's claims"));
    }

    private void own(String dataset, String digit, int batch, int seed, double accuracy) throws IOException {
        Path run = Files.createDirectories(folder.resolve("run-" + ++written));
        Json.seal(
                run.resolve("config.json"),
                Map.of(
                        "budget", Map.of("epochs", 30),
                        "data", "51 training and 9 test images, SHA-256 " + digit.repeat(64),
                        "settings", Map.of("dataset", dataset, "model", "mlp", "data", Map.of("batch", batch))));
        Json.write(
                run.resolve("results.json"),
                new Summary("t", Map.of(), List.of(row("sgd", 30, seed, accuracy)), List.of(), List.of()));
    }

    @Test
    void twoRunsOfOneSeedThatDisagreeAreRefused() throws IOException {
        run(30, 0, 0.05, row("sgd", 30, 1, 90));
        run(30, 0, 0.05, row("sgd", 30, 1, 91));
        String message =
                assertThrows(IllegalArgumentException.class, this::read).getMessage();
        assertTrue(message.contains("another accuracy for sgd, seed 1"), message);
    }

    @Test
    void aFolderWithoutResultsAndAFileOfAnotherKindAreRefusedByName() throws IOException {
        String none = assertThrows(IllegalArgumentException.class, this::read).getMessage();
        assertTrue(none.startsWith(folder + ": holds no finished comparison"), none);
        Path page = Files.writeString(folder.resolve("report.html"), "<html>");
        String html = assertThrows(FormatException.class, () -> Regimes.read(List.of(page), UnaryOperator.identity()))
                .getMessage();
        assertTrue(html.startsWith(page.toString()), html);
        run(30, 0, 0.05, row("sgd", 30, 1, 90));
        Files.writeString(folder.resolve("run-1/results.json"), "{\"rows\": [{\"method\": 3}]}");
        String rows = assertThrows(FormatException.class, this::read).getMessage();
        assertTrue(rows.contains("results.json: is not the results of a comparison"), rows);
    }
}
