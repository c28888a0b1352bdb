package io.basin.report;

import io.basin.Api;
import io.basin.text.Require;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.TreeMap;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/** The report of a comparison: one file with its pictures inside, which needs neither network nor scripts. */
@Api
public final class HtmlReport {
    private HtmlReport() {}

    /** @param table of {@code summary} */
    public static void write(Path file, Summary summary, ResultTable table) {
        write(file, summary, table, Made.NONE);
    }

    /** The same, with how it was made. Each figure is a file of the folder {@code figures} beside the page too. */
    public static void write(Path file, Summary summary, ResultTable table, Made made) {
        Require.given("file", file);
        Page page = new Page(Require.given("summary", summary).title())
                .conclusion(Require.given("table", table).conclusion())
                .figure(
                        table.forest(),
                        "Mean over seeds and its 95 % t-interval, paired by seed; an interval that holds 0 does not tell the"
                                + " method from SGD.")
                .table(table.rows())
                .paragraph(
                        "Test-set figures, mean over seeds and 95 % interval. Intervals of two or three seeds are wide, and"
                                + " say that so few cannot tell. All of it is about this test set and this split.")
                .glossary(Glossary.of(
                        table.rows().get(0),
                        summary.rows().stream()
                                .flatMap(r -> Stream.of(r.method(), r.label()))
                                .toList()));
        beside(page, table);
        figures(page, summary);
        add(page, summary.evidence());
        page.facts(summary.facts(), Require.given("made", made)).write(file);
    }

    private static void beside(Page page, ResultTable table) {
        if (!table.claims().isEmpty()) page.paragraph(String.join(". ", table.claims()) + ".");
        if (!table.beside().isEmpty()) {
            page.heading("Other ways to combine, and what the methods are held against")
                    .table(table.beside())
                    .paragraph(
                            "Without p: they are not what the comparison tests. weighted: weights in proportion to 1 /"
                                    + " validation NLL; vote: the class that most nets choose; ridge: ridge regression on the"
                                    + " validation part, which sees its labels; one alone: one of the independent nets.");
        }
    }

    private static void figures(Page page, Summary summary) {
        page.figure(
                Charts.learningRates(summary.schedules()),
                "Every method's learning rate; dots mark where a model is collected.");
        page.figure(
                Charts.averagingWeights(summary.schedules()),
                "The weight of the newest model in the running average: 1/(n+1) where all models count alike, 1-d for an"
                        + " exponential average.");
        page.figure(
                Charts.curves(summary, "training loss", Summary.Point::loss),
                "Loss on training batches, mean over seeds.");
        page.figure(
                Charts.curves(summary, "validation loss", Summary.Point::validationLoss),
                "Loss of the moving weights, not of an average, on held-out data.");
        page.figure(
                        Charts.averages(summary),
                        "Held-out accuracy of each running average beside that of the weights it averages, mean over"
                                + " seeds. Batch norm's statistics of the average are here from one pass over at most"
                                + " 2,048 training images; the table's are measured as its settings say.")
                .figure(Charts.averageLosses(summary), "Their held-out losses.");
        String anytime = Anytime.text(summary);
        if (!anytime.isEmpty()) page.paragraph(anytime);
        page.figure(
                Charts.curves(summary, "validation accuracy, %", p -> Charts.percent(p.validationAccuracy())),
                "Accuracy of the moving weights on held-out data.");
    }

    /** Adds a part for each kind of evidence that there is. */
    static void add(Page page, Extras e) {
        // The table has each seed's ECE; that of all seeds together is smaller, for errors of unlike sign cancel.
        Lines reliability = Charts.reliability(e.reliability(), false);
        if (reliability != null) {
            page.heading("Calibration")
                    .figure(
                            reliability,
                            "Test predictions of all seeds in 15 equal bins of confidence; above the diagonal a method is"
                                    + " too modest, below it too sure. Bins of fewer than 10 samples are left out."
                                    + " Ensembles: the mean of probabilities.");
        }
        Lines growth = Charts.growth(e.growth());
        if (growth != null) {
            page.heading("Ensembles")
                    .figure(growth, "Accuracy of the mean of probabilities of the first members, the oldest first.");
        }
        tests(page, e.tests());
        ProbePage.corrupted(page, e.corrupted());
        ProbePage.outside(page, e.outside());
        checks(page, e.checks());
    }

    private static void tests(Page page, List<Extras.Versus> tests) {
        if (tests.isEmpty()) return;
        page.heading("Single nets on the same test samples");
        page.paragraph(
                "McNemar's exact test that two nets err equally often, p corrected by Holm. It compares these nets of one"
                        + " seed, not the methods: another seed gives other nets. Whether a method is better only several"
                        + " seeds can show.");
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("net", "only SGD right", "only this right", "p", "p (Holm)"));
        for (Extras.Versus v : tests) {
            rows.add(List.of(
                    v.method(),
                    Integer.toString(v.onlySgd()),
                    Integer.toString(v.onlyMethod()),
                    Statistics.format(v.p(), 4),
                    Statistics.format(v.holm(), 4)));
        }
        page.table(rows);
    }

    /** Those that passed are folded away. */
    private static void checks(Page page, List<Extras.Check> checks) {
        if (checks.isEmpty()) return;
        page.heading("Self-checks");
        List<Extras.Check> open = checks.stream().filter(c -> !passed(c)).toList();
        if (!open.isEmpty()) page.words(rows(open));
        List<Extras.Check> folded = checks.stream().filter(HtmlReport::passed).toList();
        if (!folded.isEmpty()) page.folded(folded.size() + " passed", p -> p.words(rows(folded)));
    }

    private static boolean passed(Extras.Check check) {
        return check.verdict().equals(Extras.Check.PASSED);
    }

    private static List<List<String>> rows(List<Extras.Check> checks) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("check", "of", "verdict", "measured"));
        for (Extras.Check c : checks) rows.add(List.of(c.what(), c.where(), c.verdict(), c.detail()));
        return rows;
    }

    /** How many self-checks there were of each verdict, and those that did not pass, equal ones together; for a terminal. */
    public static String text(Extras e) {
        if (Require.given("e", e).checks().isEmpty()) return "";
        StringBuilder out = new StringBuilder("Self-checks: ");
        out.append(e.checks().stream()
                .collect(Collectors.groupingBy(Extras.Check::verdict, TreeMap::new, Collectors.counting()))
                .entrySet()
                .stream()
                .map(c -> c.getValue() + " " + c.getKey())
                .collect(Collectors.joining(", ")));
        e.checks().stream()
                .filter(c -> !passed(c))
                .collect(Collectors.groupingBy(
                        c -> c.verdict() + ": " + c.what() + ": " + c.detail(),
                        LinkedHashMap::new,
                        Collectors.mapping(Extras.Check::where, Collectors.joining("; "))))
                .forEach((what, where) -> out.append("\n  " + what + " (" + where + ")"));
        return out.append('\n').toString();
    }
}
