package io.basin.report;

import io.basin.io.AtomicFile;
import java.nio.file.Path;
import java.util.Map;

/** The report of a comparison: one file with its pictures inside, which needs neither network nor scripts. */
public final class HtmlReport {
    static final String STYLE = """
            body{font:16px/1.5 system-ui,sans-serif;color:#222;background:#fff;max-width:960px;margin:2em auto;padding:0 1em}
            table{border-collapse:collapse;margin:1em 0}td,th{padding:.25em .8em;border-bottom:1px solid #ddd;text-align:left}
            .results td:not(:first-child),.results th:not(:first-child){text-align:right}
            figure{margin:2em 0}figcaption{color:#555}svg{max-width:100%;height:auto}
            """;

    private HtmlReport() {}

    /**
     * Writes the report.
     *
     * @param table the result table as HTML
     */
    public static void write(Path file, Summary summary, String conclusion, String table) {
        String title = escape(summary.title());
        StringBuilder out = new StringBuilder(
                        "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>")
                .append(title)
                .append("</title><style>")
                .append(STYLE)
                .append("</style></head><body>\n<h1>")
                .append(title)
                .append("</h1>\n<p><strong>")
                .append(escape(conclusion))
                .append("</strong></p>\n")
                .append(table)
                .append(
                        "<p>Test-set figures: mean and half-width of the 95 % t-interval over seeds. Differences are paired"
                                + " by seed: mean and half-width of the t-interval, from ten seeds on also the 95 %"
                                + " percentile bootstrap interval; p is that of the paired t-test, corrected by Holm for"
                                + " the number of rows compared. Intervals are cut to what is possible; those of two or"
                                + " three seeds are wide, and say that so few cannot tell. ECE is the mean over seeds of"
                                + " each seed's own.</p>\n");
        figures(out, summary);
        out.append(EvidencePage.html(summary.evidence()));
        facts(out, summary.facts());
        AtomicFile.write(file, out.append("</body></html>\n").toString());
    }

    private static void figures(StringBuilder out, Summary summary) {
        figure(
                out,
                Charts.learningRates(summary.schedules()),
                "Every method's learning rate; dots mark where a model is collected.");
        figure(
                out,
                Charts.averagingWeights(summary.schedules()),
                "The weight of the newest model in the running average: 1/(n+1) where all models count alike, 1-d for an"
                        + " exponential average.");
        figure(
                out,
                Charts.curves(summary, "training loss", Summary.Point::loss),
                "Loss on training batches, mean over seeds.");
        figure(
                out,
                Charts.curves(summary, "validation loss", Summary.Point::validationLoss),
                "Loss of the moving weights, not of an average, on held-out data.");
        figure(
                out,
                Charts.curves(summary, "validation accuracy", Summary.Point::validationAccuracy),
                "Accuracy of the moving weights on held-out data.");
    }

    private static void facts(StringBuilder out, Map<String, String> facts) {
        out.append("<h2>How it was made</h2>\n<table>\n");
        facts.forEach((name, value) -> out.append("<tr><th>")
                .append(escape(name))
                .append("</th><td>")
                .append(escape(value))
                .append("</td></tr>\n"));
        out.append("</table>\n");
    }

    private static void figure(StringBuilder out, String svg, String caption) {
        if (svg.isEmpty()) return;
        out.append("<figure>")
                .append(svg)
                .append("<figcaption>")
                .append(escape(caption))
                .append("</figcaption></figure>\n");
    }

    static String escape(String text) {
        return text.replace("&", "&amp;")
                .replace("<", "&lt;")
                .replace(">", "&gt;")
                .replace("\"", "&quot;");
    }
}
