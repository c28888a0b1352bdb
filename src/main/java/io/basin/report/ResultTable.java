package io.basin.report;

import io.basin.Api;
import io.basin.text.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;
import java.util.stream.IntStream;

/**
 * The result table: test-set figures as mean and half-width of the 95 % t-interval over seeds, and
 * paired differences of accuracy to SGD, whose p values are corrected by Holm over all rows compared.
 */
@Api
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
    private final boolean tested;

    public ResultTable(Summary summary) {
        this.summary = Require.given("summary", summary);
        double[] sgd = summary.rows().stream()
                .filter(r -> r.method().equals(BASELINE))
                .findFirst()
                .map(r -> values(r, 100))
                .orElse(new double[0]);
        List<PairedComparison> pairs =
                summary.rows().stream().map(row -> pair(row, sgd)).toList();
        double[] p =
                Statistics.holm(pairs.stream().mapToDouble(PairedComparison::p).toArray());
        baseline = sgd.length > 0;
        tested = Arrays.stream(p).anyMatch(Double::isFinite);
        for (int i = 0; i < p.length; i++) add(summary.rows().get(i), sgd, pairs.get(i), p[i]);
    }

    /** Without an interval and p where there is nothing to compare. */
    private static PairedComparison pair(Summary.Row row, double[] sgd) {
        double[] own = values(row, 100);
        boolean comparable = !row.method().equals(BASELINE) && own.length == sgd.length && own.length > 1;
        return comparable
                ? Statistics.paired(own, sgd)
                : new PairedComparison(0, Double.NaN, Interval.ABSENT, Double.NaN, Double.NaN);
    }

    private static double[] values(Summary.Row row, double scale) {
        return row.scores().stream().mapToDouble(s -> scale * s.accuracy()).toArray();
    }

    private void add(Summary.Row row, double[] sgd, PairedComparison pair, double p) {
        double[] accuracy = values(row, 100);
        String name = row.combiner().isEmpty() ? row.method() : row.method() + " (" + row.combiner() + ")";
        String difference = row.method().equals(BASELINE) || sgd.length != accuracy.length || sgd.length == 0
                ? ""
                : signed(Statistics.mean(accuracy) - Statistics.mean(sgd))
                        + Statistics.interval(pair.interval(), 2, -100, 100);
        cells.add(List.of(
                name,
                Statistics.format(row.epochs(), 1),
                Integer.toString(row.passes()),
                Statistics.meanAndInterval(accuracy, 2, 0, 100),
                figure(row, Summary.Score::nll, 1, 4, Double.MAX_VALUE),
                figure(row, Summary.Score::ece, 100, 2, 100),
                difference,
                bootstrap(accuracy, sgd, pair),
                Double.isNaN(p) ? "" : (p < 0.001 ? "<0.001" : Statistics.format(p, 3)) + (p < LEVEL ? " *" : "")));
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

    /** Of the paired differences. */
    private static String bootstrap(double[] own, double[] sgd, PairedComparison pair) {
        if (pair.n() == 0) return "";
        Interval interval = Statistics.pairedBootstrap(own, sgd);
        if (!interval.present()) return "";
        return "[" + signed(interval.low()) + ", " + signed(interval.high()) + "]";
    }

    private static String signed(double value) {
        return String.format(Locale.ROOT, "%+.2f", value);
    }

    private int seeds() {
        return summary.rows().stream().mapToInt(r -> r.scores().size()).max().orElse(0);
    }

    /** What the figures allow one to say, and no more. */
    public String conclusion() {
        boolean fitted = summary.rows().stream().anyMatch(r -> r.combiner().equals("ridge"));
        return verdict()
                + (fitted
                        ? " The combiners weighted and ridge were fitted to the labels of the validation part, which no"
                                + " other row learned from."
                        : "");
    }

    private String verdict() {
        if (seeds() < 2) return "1 seed: no intervals, and any difference may be chance. Train 5 seeds to learn more.";
        if (!baseline) {
            return "Over " + seeds()
                    + " seeds: SGD was not among the methods, so no difference to it was tested; add sgd to the methods.";
        }
        if (!tested) return "Over " + seeds() + " seeds there was no difference to SGD that could be tested.";
        if (better.isEmpty() && worse.isEmpty()) {
            return seeds()
                    + " seeds cannot tell any method from SGD (paired t, Holm, 5 %). That does not show them to be"
                    + " equal: more seeds may tell.";
        }
        String text = "Over " + seeds() + " seeds, beyond chance (paired t, Holm, 5 %):";
        if (!better.isEmpty()) text += " better than SGD: " + String.join(", ", better) + ".";
        if (!worse.isEmpty()) text += " worse: " + String.join(", ", worse) + ".";
        if (!open.isEmpty()) text += " Undecided: " + String.join(", ", open) + ".";
        return text;
    }

    /** Aligned columns for a terminal. */
    public String text() {
        return Page.text(rows());
    }

    /** Without the column of bootstraps where there are too few seeds for any. */
    List<List<String>> rows() {
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
}
