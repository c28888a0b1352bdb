package io.basin.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The parts of a comparison's report that stand beside its table: calibration, tests of nets, probes, self-checks. */
public final class EvidencePage {
    /** Samples that a bin needs to be drawn: the share of two or three says nothing. */
    private static final int FEWEST = 10;

    private EvidencePage() {}

    /** HTML, empty where there is no evidence. */
    static String html(Evidence e) {
        StringBuilder out = new StringBuilder();
        reliability(out, e.reliability());
        tests(out, e.tests());
        ProbePage.corrupted(out, e.corrupted());
        ProbePage.outside(out, e.outside());
        checks(out, e.checks());
        return out.toString();
    }

    /** How many self-checks there were of each verdict, and those that did not pass, equal ones together; for a terminal. */
    public static String text(Evidence e) {
        if (e.checks().isEmpty()) return "";
        Map<String, Long> counts = e.checks().stream()
                .collect(Collectors.groupingBy(Evidence.Check::verdict, TreeMap::new, Collectors.counting()));
        StringBuilder out = new StringBuilder("Self-checks: ");
        out.append(counts.entrySet().stream()
                        .map(c -> c.getValue() + " " + c.getKey())
                        .collect(Collectors.joining(", ")))
                .append('\n');
        Map<String, List<String>> alike = new LinkedHashMap<>();
        for (Evidence.Check c : e.checks()) {
            if (c.verdict().equals(Evidence.Check.PASSED)) continue;
            alike.computeIfAbsent(c.verdict() + ": " + c.what() + ": " + c.detail(), k -> new ArrayList<>())
                    .add(c.where());
        }
        alike.forEach((what, where) -> out.append("  ")
                .append(what)
                .append(" (")
                .append(String.join("; ", where))
                .append(")\n"));
        return out.toString();
    }

    /** Mean confidence against accuracy of bins with enough samples, one line a method; null where there are none. */
    public static Lines reliabilityDiagram(List<Evidence.Reliability> methods) {
        return reliabilityDiagram(methods, true);
    }

    private static Lines reliabilityDiagram(List<Evidence.Reliability> methods, boolean figures) {
        Lines lines = new Lines("Reliability", "mean confidence of the bin", "share that is right");
        boolean any = false;
        for (Evidence.Reliability r : methods) {
            if (!r.combiner().isEmpty() && !r.combiner().equals("mean")) continue;
            List<Evidence.Bin> bins =
                    r.bins().stream().filter(b -> b.count() >= FEWEST).toList();
            any |= !bins.isEmpty();
            lines.dotted(
                    figures ? String.format(Locale.ROOT, "%s, ECE %.2f %%", r.method(), 100 * r.ece()) : r.method(),
                    bins.stream().mapToDouble(b -> b.confidence() / b.count()).toArray(),
                    bins.stream()
                            .mapToDouble(b -> (double) b.hits() / b.count())
                            .toArray());
        }
        return any ? lines.line("calibrated", new double[] {0, 1}, new double[] {0, 1}) : null;
    }

    private static void reliability(StringBuilder out, List<Evidence.Reliability> methods) {
        // The table has each seed's ECE; that of all seeds together is smaller, for errors of unlike sign cancel.
        Lines diagram = reliabilityDiagram(methods, false);
        if (diagram == null) return;
        heading(out, "Calibration");
        figure(
                out,
                diagram,
                "Test predictions of all seeds in 15 equal bins of confidence; above the diagonal a method is too modest, below"
                        + " it too sure. Bins of fewer than 10 samples are left out. Ensembles: the mean of probabilities.");
    }

    private static void tests(StringBuilder out, List<Evidence.Versus> tests) {
        if (tests.isEmpty()) return;
        heading(out, "Single nets on the same test samples");
        paragraph(
                out,
                "McNemar's exact test that two nets err equally often, p corrected by Holm. It compares these nets of one"
                        + " seed, not the methods: another seed gives other nets. Whether a method is better only several"
                        + " seeds can show.");
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("net", "only SGD right", "only this right", "p", "p (Holm)"));
        for (Evidence.Versus v : tests) {
            rows.add(List.of(
                    v.method(),
                    Integer.toString(v.onlySgd()),
                    Integer.toString(v.onlyMethod()),
                    Statistics.format(v.p(), 4),
                    Statistics.format(v.holm(), 4)));
        }
        table(out, rows);
    }

    private static void checks(StringBuilder out, List<Evidence.Check> checks) {
        if (checks.isEmpty()) return;
        heading(out, "Self-checks");
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("check", "of", "verdict", "measured"));
        for (Evidence.Check c : checks) rows.add(List.of(c.what(), c.where(), c.verdict(), c.detail()));
        table(out, rows);
    }

    static void heading(StringBuilder out, String text) {
        out.append("<h2>").append(HtmlReport.escape(text)).append("</h2>\n");
    }

    static void paragraph(StringBuilder out, String text) {
        out.append("<p>").append(HtmlReport.escape(text)).append("</p>\n");
    }

    static void figure(StringBuilder out, Lines lines, String caption) {
        String svg = lines.svg();
        if (svg.isEmpty()) return;
        out.append("<figure>").append(svg).append("<figcaption>");
        out.append(HtmlReport.escape(caption)).append("</figcaption></figure>\n");
    }

    static void table(StringBuilder out, List<List<String>> rows) {
        out.append("<table>\n");
        for (int i = 0; i < rows.size(); i++) {
            String cell = i == 0 ? "th" : "td";
            out.append("<tr>");
            for (String value : rows.get(i)) {
                out.append('<').append(cell).append('>').append(HtmlReport.escape(value));
                out.append("</").append(cell).append('>');
            }
            out.append("</tr>\n");
        }
        out.append("</table>\n");
    }
}
