package io.basin.report;

import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The result table as text, Markdown and HTML: test-set figures as mean and half-width of the 95 % t-interval over seeds, and
 * paired differences of accuracy to SGD, whose p values are corrected by Holm over all rows compared.
 */
public final class ResultTable {
    private static final List<String> HEADER = List.of(
            "method", "epochs", "passes", "accuracy %", "NLL", "ECE %", "vs SGD, points", "bootstrap 95 %", "p (Holm)");
    private static final int BOOTSTRAP = HEADER.indexOf("bootstrap 95 %");
    private static final String BASELINE = "sgd";
    private static final double LEVEL = 0.05;

    private final Summary summary;
    private final List<List<String>> cells = new ArrayList<>();
    private final List<String> better = new ArrayList<>();
    private final List<String> worse = new ArrayList<>();
    private final List<String> open = new ArrayList<>();
    private final boolean baseline;
    private final int tested;

    public ResultTable(Summary summary) {
        this.summary = summary;
        double[] sgd = summary.rows().stream()
                .filter(r -> r.method().equals(BASELINE))
                .findFirst()
                .map(r -> values(r, 100))
                .orElse(new double[0]);
        List<PairedComparison> pairs = new ArrayList<>();
        for (Summary.Row row : summary.rows()) pairs.add(pair(row, sgd));
        double[] p = Statistics.holm(pairs.stream()
                .filter(x -> x != null && Double.isFinite(x.p()))
                .mapToDouble(PairedComparison::p)
                .toArray());
        baseline = sgd.length > 0;
        tested = p.length;
        int next = 0;
        for (int i = 0; i < summary.rows().size(); i++) {
            PairedComparison pair = pairs.get(i);
            boolean tested = pair != null && Double.isFinite(pair.p());
            add(summary.rows().get(i), sgd, pair, tested ? p[next++] : Double.NaN);
        }
    }

    private static PairedComparison pair(Summary.Row row, double[] sgd) {
        double[] own = values(row, 100);
        boolean comparable = !row.method().equals(BASELINE) && own.length == sgd.length && own.length > 1;
        return comparable ? Statistics.paired(own, sgd) : null;
    }

    private static double[] values(Summary.Row row, double scale) {
        return row.scores().stream().mapToDouble(s -> scale * s.accuracy()).toArray();
    }

    private void add(Summary.Row row, double[] sgd, PairedComparison pair, double p) {
        double[] accuracy = values(row, 100);
        String name = row.combiner().isEmpty() ? row.method() : row.method() + " (" + row.combiner() + ")";
        String difference = row.method().equals(BASELINE) || sgd.length != accuracy.length || sgd.length == 0
                ? ""
                : signed(Statistics.mean(accuracy) - Statistics.mean(sgd)) + half(pair);
        cells.add(List.of(
                name,
                number(row.epochs(), 1),
                Integer.toString(row.passes()),
                Statistics.meanAndInterval(accuracy, 2, 0, 100),
                figure(row, Summary.Score::nll, 1, 4, Double.MAX_VALUE),
                figure(row, Summary.Score::ece, 100, 2, 100),
                difference,
                bootstrap(accuracy, sgd, pair),
                Double.isNaN(p) ? "" : (p < 0.001 ? "<0.001" : number(p, 3)) + (p < LEVEL ? " *" : "")));
        if (row.method().equals(BASELINE)) return;
        if (p < LEVEL) (pair.meanDifference() > 0 ? better : worse).add(name);
        else open.add(name);
    }

    private static String figure(
            Summary.Row row, Function<Summary.Score, Double> which, double scale, int decimals, double most) {
        List<Double> values = row.scores().stream().map(which).toList();
        if (values.contains(null)) return "n/a";
        return Statistics.meanAndInterval(
                values.stream().mapToDouble(v -> scale * v).toArray(), decimals, 0, most);
    }

    private static String half(PairedComparison pair) {
        return pair == null ? "" : Statistics.interval(pair.interval(), 2, -100, 100);
    }

    /** Of the paired differences. */
    private static String bootstrap(double[] own, double[] sgd, PairedComparison pair) {
        if (pair == null) return "";
        Interval interval = Statistics.pairedBootstrap(own, sgd);
        if (!interval.present()) return "";
        return "[" + signed(interval.low()) + ", " + signed(interval.high()) + "]";
    }

    private static String signed(double value) {
        return String.format(Locale.ROOT, "%+.2f", value);
    }

    private static String number(double value, int decimals) {
        return String.format(Locale.ROOT, "%." + decimals + "f", value);
    }

    private int seeds() {
        return summary.rows().stream().mapToInt(r -> r.scores().size()).max().orElse(0);
    }

    /** What the figures allow one to say, and no more. */
    public String conclusion() {
        if (seeds() < 2) return "1 seed: no intervals, and any difference may be chance. Use --seeds 5 to learn more.";
        if (!baseline) {
            return "Over " + seeds()
                    + " seeds: SGD was not among the methods, so no difference to it was tested; add sgd to --methods.";
        }
        if (tested == 0) return "Over " + seeds() + " seeds there was no difference to SGD that could be tested.";
        if (better.isEmpty() && worse.isEmpty()) {
            return seeds()
                    + " seeds cannot tell any method from SGD (paired t, Holm, 5 %). That does not show them to be"
                    + " equal: more --seeds may tell.";
        }
        String text = "Over " + seeds() + " seeds, beyond chance (paired t, Holm, 5 %):";
        if (!better.isEmpty()) text += " better than SGD: " + String.join(", ", better) + ".";
        if (!worse.isEmpty()) text += " worse: " + String.join(", ", worse) + ".";
        if (!open.isEmpty()) text += " Undecided: " + String.join(", ", open) + ".";
        return text;
    }

    /** Aligned columns for a terminal. */
    public String text() {
        int[] width = new int[HEADER.size()];
        for (List<String> row : rows()) {
            for (int c = 0; c < row.size(); c++)
                width[c] = Math.max(width[c], row.get(c).length());
        }
        StringBuilder out = new StringBuilder();
        for (List<String> row : rows()) {
            StringBuilder line = new StringBuilder();
            for (int c = 0; c < row.size(); c++) {
                String format = c == 0 ? "%-" + width[c] + "s" : "  %" + width[c] + "s";
                line.append(String.format(Locale.ROOT, format, row.get(c)));
            }
            out.append(line.toString().stripTrailing()).append('\n');
        }
        return out.toString();
    }

    /** Without the column of bootstraps where there are too few seeds for any. */
    private List<List<String>> rows() {
        List<List<String>> all = new ArrayList<>();
        all.add(HEADER);
        all.addAll(cells);
        if (cells.stream().anyMatch(row -> !row.get(BOOTSTRAP).isEmpty())) return all;
        return all.stream()
                .map(row -> IntStream.range(0, row.size())
                        .filter(c -> c != BOOTSTRAP)
                        .mapToObj(row::get)
                        .toList())
                .toList();
    }

    /** A GitHub table. */
    public String markdown() {
        StringBuilder out = new StringBuilder();
        boolean header = true;
        for (List<String> row : rows()) {
            out.append(row.stream().collect(Collectors.joining(" | ", "| ", " |\n")));
            if (header) out.append("|---".repeat(row.size())).append("|\n");
            header = false;
        }
        return out.toString();
    }

    /** A table element; the cells hold nothing that needs escaping but signs. */
    public String html() {
        StringBuilder out = new StringBuilder("<table class=\"results\">\n");
        String cell = "th";
        for (List<String> row : rows()) {
            out.append("<tr>");
            for (String value : row) {
                String safe = value.replace("&", "&amp;").replace("<", "&lt;");
                out.append('<')
                        .append(cell)
                        .append('>')
                        .append(safe)
                        .append("</")
                        .append(cell)
                        .append('>');
            }
            out.append("</tr>\n");
            cell = "td";
        }
        return out.append("</table>\n").toString();
    }
}
