package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ReportTest {
    @TempDir
    private Path folder;

    private static Summary.Row row(String method, double... accuracies) {
        List<Summary.Score> scores = IntStream.range(0, accuracies.length)
                .mapToObj(i -> new Summary.Score(i, accuracies[i], 0.3, 0.02))
                .toList();
        return new Summary.Row(method, "", 10, 0, 1, scores);
    }

    private static Summary summary(Summary.Row... rows) {
        Summary.Plotted plan = new Summary.Plotted(
                "swa", new double[] {0.1, 0.1, 0.05, 0.05}, new double[] {0, 0, 1, 0.5}, new int[] {2, 3}, 2);
        Summary.Curve curve = new Summary.Curve(
                "swa",
                1,
                List.of(
                        new Summary.Point(1, 1, 0.5, 1.0, 0.5, null, null),
                        new Summary.Point(2, 0.8, 0.6, 0.9, 0.6, 0.8, 0.7)));
        return new Summary("a <b> & c", Map.of("seeds", "5"), List.of(rows), List.of(curve), List.of(plan));
    }

    @Test
    void oneSeedHasNoIntervalsAndClaimsNothing() {
        ResultTable table = new ResultTable(summary(row("sgd", 0.9), row("swa", 0.95)));
        assertFalse(table.text().contains("±"), table.text());
        assertTrue(table.text().contains("+5.00"), table.text());
        assertTrue(table.conclusion().startsWith("1 seed"), table.conclusion());
    }

    @Test
    void aSteadyGainIsCalledBetterAndANoisyOneIsNot() {
        ResultTable table = new ResultTable(summary(
                row("sgd", 0.900, 0.901, 0.902, 0.899, 0.900),
                row("swa", 0.910, 0.912, 0.911, 0.910, 0.909),
                row("ema", 0.930, 0.880, 0.910, 0.860, 0.925)));
        assertTrue(table.conclusion().contains("better than SGD: swa."), table.conclusion());
        assertTrue(table.conclusion().contains("Undecided: ema."), table.conclusion());
    }

    @Test
    void whereNothingWasTestedNothingIsSaidOfChance() {
        double[] some = {0.900, 0.901, 0.902};
        ResultTable alone = new ResultTable(summary(row("swa", some), row("ema", 0.91, 0.92, 0.93)));
        String none = "Over 3 seeds there was no difference to SGD that could be tested.";
        assertEquals(none + " Differences need sgd: add it to methods.", alone.conclusion());
        assertEquals(none, new ResultTable(summary(row("sgd", some))).conclusion());
        Summary both = summary(row("sgd", some), row("swa", some));
        assertEquals(
                none + " Budget not checked: add independent to --methods.",
                new ResultTable(both, text -> text.replace("`methods`", "--methods")).conclusion());
        String one = new ResultTable(summary(row("swa", 0.9), row("ema", 0.91))).conclusion();
        assertTrue(one.startsWith("1 seed") && one.endsWith("Differences need sgd: add it to methods."), one);
    }

    /** It learned from labels that the other rows did not. */
    @Test
    void whatWasFittedOnTheValidationPartIsSaid() {
        Summary.Row one = row("fge", 0.9);
        Summary.Row ridge = new Summary.Row("fge", "ridge", 10, 0, 4, one.scores());
        String said = new ResultTable(summary(row("sgd", 0.9), ridge)).textBeside();
        assertTrue(said.strip()
                .endsWith("ridge were fitted to the labels of the validation part, which no other row learned from."));
        assertFalse(new ResultTable(summary(row("sgd", 0.9), one)).textBeside().contains("fitted"));
    }

    @Test
    void onlyTheMethodsOwnRowsAreTestedAndCorrectedFor() {
        double[] sgd = {0.900, 0.901, 0.902, 0.899, 0.900};
        double[] better = {0.904, 0.903, 0.906, 0.900, 0.902};
        ResultTable two = new ResultTable(summary(row("sgd", sgd), row("fge", better)));
        Summary.Row[] all = {
            row("sgd", sgd),
            combined(row("sgd", better), "statistics anew"),
            combined(row("fge", better), "mean"),
            combined(row("fge", better), "vote"),
            combined(row("fge", better), "ridge")
        };
        ResultTable many = new ResultTable(summary(all));
        assertEquals(two.rows().get(2), many.rows().get(3), "a vote beside it makes fge's p no larger");
        assertEquals(1 + 3, many.rows().size());
        assertEquals(1 + 2, many.beside().size());
        assertEquals("sgd, statistics measured anew", many.rows().get(2).get(0));
        Figures anew = many.figures().get(1);
        assertEquals("sgd, statistics measured anew", anew.method(), "as the table says it");
        assertEquals(0.0026, anew.vsSgd(), 1e-12);
        assertNull(anew.pHolm(), "it is not tested");
        assertFalse(many.beside().get(0).contains("p (Holm)"), "nothing there was tested");
    }

    private static Summary.Row combined(Summary.Row row, String combiner) {
        return new Summary.Row(row.method(), combiner, row.epochs(), 0, 1, row.scores());
    }

    @Test
    void theArticlesClaimsArePairedDifferencesOfTheirOwn() {
        ResultTable table = new ResultTable(
                summary(row("swa", 0.91, 0.92, 0.93), row("snapshot", 0.90, 0.90, 0.93), row("fge", 0.91, 0.93, 0.95)));
        assertEquals(2, table.claims().size());
        assertTrue(
                table.claims().get(0).startsWith("swa against snapshot: +1.00 ±2.48 points, p 0.225"),
                table.claims().get(0));
        assertTrue(
                table.claims().get(1).startsWith("swa against fge: -1.00 ±2.48 points, p 0.225"),
                table.claims().get(1));
    }

    @Test
    void whatHalfTheEpochsWouldGiveSaysWhetherTheyAreABudget() {
        Summary.Row half = new Summary.Row(
                "independent", "one alone", 5, 0, 1, row("independent", 0.89).scores());
        String gains = new ResultTable(summary(row("sgd", 0.9), half)).conclusion();
        assertTrue(
                gains.endsWith(
                        "SGD gains +1.00 points from half of these epochs to all of them: they are below what the"
                                + " papers call a budget."),
                gains);
        String done = new ResultTable(summary(row("sgd", 0.8929), half)).conclusion();
        assertTrue(
                done.endsWith(
                        "gains +0.29 points from half of these epochs to all of them: that is within what the papers"
                                + " call a budget."),
                done);
        Summary.Row third = new Summary.Row("independent", "one alone", 3.3, 0, 1, half.scores());
        Summary.Row three = row("independent", 0.9);
        String other = new ResultTable(summary(row("sgd", 0.9), three, third)).conclusion();
        assertTrue(
                other.endsWith("Budget not checked: it takes independent.runs 2, of half of the epochs each."), other);
    }

    /** Three forward passes are as much work as one that trains. */
    @Test
    void batchNormsStatisticsAreCountedInEpochs() {
        Summary.Row swa = new Summary.Row("swa", "", 10, 6, 1, row("swa", 0.9).scores());
        ResultTable table = new ResultTable(summary(row("sgd", 0.9), swa));
        assertEquals("BN epochs", table.rows().get(0).get(2));
        assertEquals("2.0", table.rows().get(2).get(2));
        assertEquals(2, table.figures().get(1).bnEpochs());
    }

    private static Summary.Curve curve(String run, double... validationAndAverage) {
        List<Summary.Point> points = IntStream.range(0, validationAndAverage.length / 2)
                .mapToObj(i -> {
                    double average = validationAndAverage[2 * i + 1];
                    Double known = average == 0 ? null : average;
                    return new Summary.Point(i + 1, 1, 0.9, 0.5, validationAndAverage[2 * i], known, known);
                })
                .toList();
        return new Summary.Curve(run, 1, points);
    }

    private static Summary.Plotted plan(String method, double last, double alpha) {
        return new Summary.Plotted(method, new double[] {1, last}, new double[] {0, alpha}, new int[0], 1);
    }

    private static Summary averages(double lastRate) {
        return new Summary(
                "t",
                Map.of(),
                List.of(row("sgd", 0.9)),
                List.of(
                        curve("sgd+ema", 0.80, 0, 0.82, 0.85, 0.84, 0.883, 0.886, 0.884),
                        curve("swa", 0.80, 0, 0.81, 0.84, 0.85, 0.86, 0.87, 0.876),
                        curve("independent 1", 0.8, 0, 0.87, 0),
                        curve("independent 2", 0.8, 0, 0.86, 0)),
                List.of(plan("sgd", lastRate, 0), plan("ema", lastRate, 0.1), plan("swa", 1, 1)));
    }

    /** EMA's 88.3 and 88.4 % are near SGD's 88.6 from epoch 3 on; SWA ends a point below; half-way nets have 86.5 %. */
    @Test
    void whatAnAverageHasAtAnyTimeIsHeldAgainstAnnealedRuns() throws Exception {
        String text = Anytime.text(averages(0.01));
        assertTrue(
                text.contains(
                        "ema's average is within 0.3 points of what SGD, annealed over 4.0 epochs, ends with, 88.60 %,"
                                + " from epoch 3.0 on, up to 4.30 points above the weights that it averages; at epoch 2.0 it has"
                                + " 85.00 %, and nets annealed to end at 2.0 have 86.50 %."),
                text);
        assertTrue(text.contains("swa's average ends 1.00 points below what SGD"), text);
        assertEquals("", Anytime.text(averages(1)), "a rate that does not fall anneals nothing");
        Summary s = averages(0.01);
        Path file = folder.resolve("report.html");
        HtmlReport.write(file, s, new ResultTable(s));
        assertTrue(Files.readString(file).contains(Picture.escape(text)));
    }

    /** SGD's run has EMA's average: named and coloured as EMA's everywhere. */
    @Test
    void anAverageIsDrawnAsItsMethodInAccuracyAndLoss() {
        String black = "stroke:rgb(0,0,0);stroke-width:2.2";
        for (Lines lines : List.of(Charts.averages(averages(0.01)), Charts.averageLosses(averages(0.01)))) {
            String svg = lines.svg();
            for (String name : List.of("ema, the average", "sgd, moving weights", "swa, the average"))
                assertTrue(svg.contains(">" + name + "<"), svg);
            assertTrue(svg.contains(black) && !svg.contains("sgd+ema"), svg);
        }
        assertTrue(Charts.curves(averages(0.01), "training loss", Summary.Point::loss)
                .svg()
                .contains(">sgd and ema<"));
    }

    @Test
    void noiseIsNotSaidToDiffer() {
        ResultTable table = new ResultTable(summary(row("sgd", 0.90, 0.91, 0.92), row("swa", 0.91, 0.90, 0.925)));
        assertTrue(table.conclusion().startsWith("3 seeds cannot tell any method from SGD"), table.conclusion());
    }

    @Test
    void theReportStandsAloneAndEscapesWhatItQuotes() throws Exception {
        Summary s = summary(row("sgd", 0.9), row("swa", 0.95));
        ResultTable table = new ResultTable(s);
        Path file = folder.resolve("report.html");
        HtmlReport.write(file, s, table);
        String html = Files.readString(file);
        assertTrue(html.contains("a &lt;b&gt; &amp; c"));
        assertFalse(html.contains("<b>"));
        assertEquals(8, html.split("<svg", -1).length - 1);
        assertTrue(html.contains("Differences to SGD"));
        assertTrue(html.contains("Held-out accuracy of each running average"));
        assertFalse(html.contains("src=\"http"));
    }

    /** Ten epochs of 429 steps, six methods, three seeds. */
    @Test
    void theReportOfTheDefaultRunIsSmallAndEachFigureIsAFileToo() throws Exception {
        Path file = folder.resolve("report.html");
        Sample.comparison(file);
        String html = Files.readString(file);
        assertTrue(html.length() < 300_000, html.length() + " bytes");
        int pictures = 0;
        for (String name : List.of("differences-to-sgd", "learning-rate", "averaging-weight", "reliability")) {
            assertTrue(html.contains("href=\"figures/" + name + ".svg\""), name);
            assertTrue(Files.size(folder.resolve("figures/" + name + ".svg")) > 1000, name);
            assertTrue(Files.size(folder.resolve("figures/" + name + ".png")) > 1000, name);
        }
        try (var files = Files.list(folder.resolve("figures"))) {
            pictures = (int) files.count();
        }
        assertEquals(2 * (html.split("<svg", -1).length - 1), pictures);
    }

    @Test
    void theReportSaysHowItWasMadeAndWhatItsWordsMean() throws Exception {
        Summary s = Sample.summary(10);
        ResultTable table = new ResultTable(s);
        Path file = folder.resolve("report.html");
        HtmlReport.write(file, s, table, new Made(Map.of("command", "basin <compare>"), Map.of("--epochs", "10")));
        String html = Files.readString(file);
        assertTrue(html.contains("<th>command</th><td>basin &lt;compare&gt;</td>"));
        assertTrue(html.contains("<details><summary>Settings</summary>"));
        assertTrue(html.contains("<th>--epochs</th><td>10</td>"));
        for (String column : table.rows().get(0)) {
            assertTrue(
                    Glossary.of(List.of(column), List.of()).containsKey(column)
                            && html.contains("<dt>" + column + "</dt>"),
                    column);
        }
        for (Summary.Row row : s.rows()) assertTrue(html.contains("<dt>" + row.method() + "</dt>"), row.method());
        assertFalse(html.contains("<dt>lawa</dt>"), "which was not compared");
    }

    /** What a screen reader reads, and colours that follow the reader's scheme. */
    @Test
    void picturesHaveNamesAndClassesOfTheirOwn() throws Exception {
        Path file = folder.resolve("report.html");
        Sample.comparison(file);
        String html = Files.readString(file);
        assertTrue(html.contains("aria-labelledby=\"figure-2-title figure-2-desc\""));
        assertTrue(html.contains("<desc id=\"figure-2-desc\">Every method's learning rate"));
        String pictures = html.substring(html.indexOf("<svg"));
        assertFalse(pictures.contains("style=\"fill") || pictures.contains("style=\"stroke"), "inline colours");
        assertTrue(html.contains("fill:var(--ink)") && html.contains("prefers-color-scheme:dark"));
        List<String> ids = java.util.regex.Pattern.compile(" id=\"([^\"]*)\"")
                .matcher(html)
                .results()
                .map(m -> m.group(1))
                .toList();
        assertEquals(ids.size(), ids.stream().distinct().count(), "an id is one element's");
    }

    @Test
    void aPlotMarksEveryCollection() {
        String text = Charts.text(summary().schedules());
        String marks =
                text.lines().filter(l -> l.endsWith("^ collects")).findFirst().orElseThrow();
        assertEquals(2 + 1, marks.chars().filter(c -> c == '^').count());
    }

    @Test
    void thinningKeepsTheCornersOfAStep() {
        double[] lr = new double[5000];
        java.util.Arrays.fill(lr, 0, 2503, 0.1);
        java.util.Arrays.fill(lr, 2503, 5000, 0.01);
        double[][] line = Charts.thinned(lr, 1);
        boolean before = java.util.Arrays.stream(line[0]).anyMatch(x -> x == 2502);
        boolean after = java.util.Arrays.stream(line[0]).anyMatch(x -> x == 2503);
        assertTrue(before && after);
        assertTrue(line[0].length < 10);
    }
}
