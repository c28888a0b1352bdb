package io.basin.report;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Collectors;

/** The parts of a comparison's report that stand beside its table: calibration, tests of nets, probes, self-checks. */
public final class ExtrasPage {
    /** Samples that a bin needs to be drawn: the share of two or three says nothing. */
    private static final int FEWEST = 10;

    private ExtrasPage() {}

    /** Adds a part for each kind of evidence that there is. */
    static void add(Page page, Extras e) {
        reliability(page, e.reliability());
        tests(page, e.tests());
        ProbePage.corrupted(page, e.corrupted());
        ProbePage.outside(page, e.outside());
        checks(page, e.checks());
    }

    /** How many self-checks there were of each verdict, and those that did not pass, equal ones together; for a terminal. */
    public static String text(Extras e) {
        if (e.checks().isEmpty()) return "";
        Map<String, Long> counts = e.checks().stream()
                .collect(Collectors.groupingBy(Extras.Check::verdict, TreeMap::new, Collectors.counting()));
        StringBuilder out = new StringBuilder("Self-checks: ");
        out.append(counts.entrySet().stream()
                        .map(c -> c.getValue() + " " + c.getKey())
                        .collect(Collectors.joining(", ")))
                .append('\n');
        Map<String, List<String>> alike = new LinkedHashMap<>();
        for (Extras.Check c : e.checks()) {
            if (c.verdict().equals(Extras.Check.PASSED)) continue;
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
    public static Lines reliabilityDiagram(List<Extras.Reliability> methods) {
        return reliabilityDiagram(methods, true);
    }

    private static Lines reliabilityDiagram(List<Extras.Reliability> methods, boolean figures) {
        Lines lines = new Lines("Reliability", "mean confidence of the bin", "share that is right");
        boolean any = false;
        for (Extras.Reliability r : methods) {
            if (!r.combiner().isEmpty() && !r.combiner().equals("mean")) continue;
            List<Extras.Bin> bins =
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

    private static void reliability(Page page, List<Extras.Reliability> methods) {
        // The table has each seed's ECE; that of all seeds together is smaller, for errors of unlike sign cancel.
        Lines diagram = reliabilityDiagram(methods, false);
        if (diagram == null) return;
        page.heading("Calibration")
                .figure(
                        diagram,
                        "Test predictions of all seeds in 15 equal bins of confidence; above the diagonal a method is too"
                                + " modest, below it too sure. Bins of fewer than 10 samples are left out. Ensembles: the"
                                + " mean of probabilities.");
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
        List<Extras.Check> passed = checks.stream()
                .filter(c -> c.verdict().equals(Extras.Check.PASSED))
                .toList();
        if (passed.size() < checks.size()) {
            page.words(rows(checks.stream().filter(c -> !passed.contains(c)).toList()));
        }
        if (!passed.isEmpty()) page.folded(passed.size() + " passed", p -> p.words(rows(passed)));
    }

    private static List<List<String>> rows(List<Extras.Check> checks) {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("check", "of", "verdict", "measured"));
        for (Extras.Check c : checks) rows.add(List.of(c.what(), c.where(), c.verdict(), c.detail()));
        return rows;
    }
}
