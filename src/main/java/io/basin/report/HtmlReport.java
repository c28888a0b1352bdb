package io.basin.report;

import java.nio.file.Path;

/** The report of a comparison: one file with its pictures inside, which needs neither network nor scripts. */
public final class HtmlReport {
    private HtmlReport() {}

    /** @param table of {@code summary} */
    public static void write(Path file, Summary summary, ResultTable table) {
        Page page = new Page(summary.title())
                .conclusion(table.conclusion())
                .table(table.rows())
                .paragraph(
                        "Test-set figures: mean and half-width of the 95 % t-interval over seeds. Differences are paired"
                                + " by seed: mean and half-width of the t-interval, from ten seeds on also the 95 %"
                                + " percentile bootstrap interval; p is that of the paired t-test, corrected by Holm for"
                                + " the number of rows compared. Intervals are cut to what is possible; those of two or"
                                + " three seeds are wide, and say that so few cannot tell. ECE is the mean over seeds of"
                                + " each seed's own.");
        figures(page, summary);
        ExtrasPage.add(page, summary.evidence());
        page.facts(summary.facts()).write(file);
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
                Charts.curves(summary, "validation accuracy", Summary.Point::validationAccuracy),
                "Accuracy of the moving weights on held-out data.");
    }
}
