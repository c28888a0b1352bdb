package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class EvidenceTest {
    @TempDir
    private Path folder;

    private static Summary.Row row(String method, double... accuracies) {
        List<Summary.Score> scores = IntStream.range(0, accuracies.length)
                .mapToObj(i -> new Summary.Score(i, accuracies[i], 0.3, 0.02))
                .toList();
        return new Summary.Row(method, "", 10, 0, 1, scores);
    }

    private static Extras evidence() {
        List<Extras.Bin> bins = List.of(new Extras.Bin(20, 10, 12), new Extras.Bin(30, 27, 24));
        List<Extras.Corrupted> corrupted = new ArrayList<>();
        corrupted.add(new Extras.Corrupted("sgd", 1, "none", 0, 0.9, 0.3, 0.01));
        for (int s = 1; s <= 5; s++) {
            corrupted.add(new Extras.Corrupted("sgd", 1, "blur", s, 0.9 - 0.1 * s, 0.3, 0.01));
        }
        return new Extras(
                List.of(new Extras.Versus("swa", 1, 5, 9, 0.424, 0.848)),
                List.of(new Extras.Reliability("sgd", "", bins)),
                List.of(new Extras.Growth("fge", 1, List.of(0.5, 0.75))),
                corrupted,
                List.of(new Extras.Outside("sgd", 1, "mnist", 0.87, 0.9, 0.5)),
                List.of(
                        Extras.Check.of("sums", "swa", true, "exact"),
                        Extras.Check.of("rates <", "fge", false, "off"),
                        Extras.Check.notCovered("devices", "all", "one only")));
    }

    @Test
    void theReportShowsEveryPartAndEscapesIt() throws Exception {
        Summary s = new Summary("t", Map.of(), List.of(row("sgd", 0.9)), List.of(), List.of(), evidence());
        Path file = folder.resolve("report.html");
        HtmlReport.write(file, s, new ResultTable(s));
        String html = Files.readString(file);
        for (String text : List.of(
                "McNemar",
                "0.8480",
                "Calibration",
                "60.00",
                "87.00",
                "rates &lt;",
                "FAILED",
                "not covered",
                "one only")) {
            assertTrue(html.contains(text), text);
        }
        int folded = html.indexOf("<details><summary>1 passed");
        assertTrue(
                folded > html.indexOf("one only") && html.indexOf("<td>sums</td>") > folded, "what passed is folded");
        assertTrue(html.contains("not the methods"), "a test of nets is no test of methods");
    }

    private static String html(Extras evidence) {
        Page page = new Page("t");
        HtmlReport.add(page, evidence);
        return page.html();
    }

    /** Differences of 2, 3 and 1 points: mean 2, t = 2 / (1 / sqrt 3), p = 0.0742 with 2 degrees of freedom. */
    @Test
    void figuresBeyondTheTestSetHaveIntervalsAndTestsOverSeeds() {
        double[] sgd = {0.5, 0.6, 0.7};
        double[] swa = {0.52, 0.63, 0.71};
        List<Extras.Corrupted> corrupted = new ArrayList<>();
        List<Extras.Outside> outside = new ArrayList<>();
        for (int seed = 0; seed < 3; seed++) {
            for (int strength = 1; strength <= 2; strength++) {
                // Around the mean over strengths.
                double off = strength == 1 ? 0.1 : -0.1;
                corrupted.add(new Extras.Corrupted("sgd", seed, "blur", strength, sgd[seed] + off, 0.3, 0.01));
                corrupted.add(new Extras.Corrupted("swa", seed, "blur", strength, swa[seed] + off, 0.3, 0.01));
            }
            outside.add(new Extras.Outside("sgd", seed, "noise", sgd[seed], 0.9, 0.5));
            outside.add(new Extras.Outside("swa", seed, "noise", swa[seed], 0.9, 0.5));
        }
        String cells = "<td>2.00</td><td>[-0.48, 4.48]</td><td>0.0742</td>";
        String worse = html(new Extras(List.of(), List.of(), List.of(), corrupted, List.of(), List.of()));
        assertTrue(worse.contains("<td>swa</td><td>blur</td>" + cells), worse);
        assertTrue(worse.contains("<td>60.00 ±24.84</td>"), worse);
        String strange = html(new Extras(List.of(), List.of(), List.of(), List.of(), outside, List.of()));
        assertTrue(strange.contains("<td>swa</td><td>noise</td>" + cells), strange);
        String one = html(evidence());
        assertTrue(one.contains("1 seed: no intervals") && !one.contains("vs SGD"), one);
    }

    @Test
    void aReportWithoutEvidenceHasNoEmptyHeadings() throws Exception {
        Summary s = new Summary("t", Map.of(), List.of(row("sgd", 0.9)), List.of(), List.of());
        Path file = folder.resolve("report.html");
        HtmlReport.write(file, s, new ResultTable(s));
        String html = Files.readString(file);
        for (String text : List.of("McNemar", "Calibration", "Corrupted", "Self-checks")) {
            assertFalse(html.contains(text), text);
        }
    }

    @Test
    void theTerminalNamesWhatDidNotPass() {
        String text = HtmlReport.text(evidence());
        assertTrue(text.startsWith("Self-checks: 1 FAILED, 1 not covered, 1 passed\n"), text);
        assertTrue(text.contains("FAILED: rates <: off (fge)"), text);
        assertFalse(text.contains("sums"), text);
        assertEquals("", HtmlReport.text(Extras.NONE));
    }

    @Test
    void pooledCalibrationErrorByHand() {
        // |10 - 12| + |27 - 24| over 50
        assertEquals(0.1, evidence().reliability().get(0).ece(), 1e-15);
    }

    private static String table(double gain, int seeds) {
        double[] sgd = new double[seeds];
        double[] swa = new double[seeds];
        for (int i = 0; i < seeds; i++) swa[i] = (sgd[i] = 0.8 + 0.01 * i) + gain;
        return new ResultTable(
                        new Summary("t", Map.of(), List.of(row("sgd", sgd), row("swa", swa)), List.of(), List.of()))
                .text();
    }

    /** Below ten pairs it would cover about 84 %. All differences are two points: so is every resampled mean. */
    @Test
    void aBootstrapIntervalIsGivenFromTenSeedsOn() {
        assertTrue(table(0.02, 10).contains("[+2.00, +2.00]"), table(0.02, 10));
        assertFalse(table(0.02, 9).contains("bootstrap"), table(0.02, 9));
    }

    /** Of 0.70 and 0.90: mean 80, half-width 12.706 times 10, which would reach from -47 to 207 %. */
    @Test
    void anIntervalEndsWhereTheFigureDoes() {
        assertEquals("80.00 [0.00, 100.00]", Statistics.meanAndInterval(new double[] {70, 90}, 2, 0, 100));
        assertEquals("80.00 ±12.71", Statistics.meanAndInterval(new double[] {79, 81}, 2, 0, 100));
    }

    @Test
    void aurocCountsPairsAndHalfOfTies() {
        SplittableRandom random = new SplittableRandom(4);
        double[] high =
                random.doubles(57).map(x -> Math.round(10 * x) / 10.0 + 0.1).toArray();
        double[] low = random.doubles(31).map(x -> Math.round(10 * x) / 10.0).toArray();
        double wins = 0;
        for (double h : high) for (double l : low) wins += h > l ? 1 : h == l ? 0.5 : 0;
        assertEquals(wins / (57 * 31), Statistics.auroc(high, low), 1e-12);
        assertEquals(1, Statistics.auroc(new double[] {2}, new double[] {1}));
    }
}
