package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
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
        assertEquals(
                "Over 3 seeds: SGD was not among the methods, so no difference to it was tested; add sgd to the methods.",
                alone.conclusion());
        for (Summary.Row[] rows : new Summary.Row[][] {{row("sgd", some)}, {row("sgd", some), row("swa", some)}}) {
            assertEquals(
                    "Over 3 seeds there was no difference to SGD that could be tested.",
                    new ResultTable(summary(rows)).conclusion());
        }
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
        assertEquals(two.rows().get(2), many.rows().get(2), "a vote beside it makes fge's p no larger");
        assertEquals(1 + 2, many.rows().size());
        assertEquals("sgd (statistics anew)", many.beside().get(1).get(0));
        assertEquals(1 + 3, many.beside().size());
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
        assertFalse(
                new ResultTable(summary(row("sgd", 0.9), third)).conclusion().contains("gains"));
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
        assertEquals(7, html.split("<svg", -1).length - 1);
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
