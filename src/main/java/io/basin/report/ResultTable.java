package io.basin.report;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.text.Format;
import io.basin.text.Require;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/**
 * The result table: test-set figures as mean and half-width of the 95 % t-interval over seeds, and paired differences of accuracy
 * to SGD. A method has one row that is tested, its own way to predict, and p values are corrected by Holm over these; other ways to
 * combine its models, and what the methods are held against, stand below without p.
 */
@Api
public final class ResultTable {
    private static final List<String> HEADER = List.of(
            "method",
            "epochs",
            "BN epochs",
            "nets",
            "accuracy %",
            "NLL",
            "NLL at T",
            "ECE %",
            "vs SGD, points",
            "bootstrap 95 %",
            "p (Holm)");
    private static final Set<String> OPTIONAL =
            Set.of("BN epochs", "NLL at T", "vs SGD, points", "bootstrap 95 %", "p (Holm)");
    private static final Set<String> NOTHING = Set.of("", "n/a");
    private static final String BASELINE = "sgd";
    static final double LEVEL = 0.05;
    /** Points from half the epochs to all, below which more of them bring SGD nothing: a budget, as the papers use the word. */
    static final double ENOUGH = 0.3;

    static final String FITTED =
            "The combiners weighted and ridge were fitted to the labels of the validation part, which no"
                    + " other row learned from.";

    private static final String UNCHECKED = "Budget not checked: add independent to `methods`";

    private final Summary summary;
    private final UnaryOperator<String> said;
    private final List<List<String>> cells = new ArrayList<>();
    private final List<List<String>> beside = new ArrayList<>();
    private final List<Finding> findings = new ArrayList<>();
    private final Map<String, String> differences = new LinkedHashMap<>();
    private final List<Figures> figures = new ArrayList<>();
    private final List<String> better = new ArrayList<>();
    private final List<String> worse = new ArrayList<>();
    private final List<String> open = new ArrayList<>();
    private final boolean baseline;
    private final boolean tested;

    public ResultTable(Summary summary) {
        this(summary, text -> text.replace("`", ""));
    }

    /** @param said puts the caller's words in the place of parameters, which stand between back-quotes */
    public ResultTable(Summary summary, UnaryOperator<String> said) {
        this.summary = Require.given("summary", summary);
        this.said = Require.given("said", said);
        Optional<Summary.Row> sgd = primary(BASELINE);
        List<Summary.Row> rows = summary.rows();
        List<Pairs> pairs = rows.stream()
                .map(row -> isBaseline(row)
                        ? Pairs.NONE
                        : sgd.map(s -> Pairs.of(row, s)).orElse(Pairs.NONE))
                .toList();
        List<PairedComparison> compared = pairs.stream().map(Pairs::compared).toList();
        double[] p = Statistics.holm(IntStream.range(0, rows.size())
                .mapToDouble(i -> rows.get(i).isPrimary() ? compared.get(i).p() : Double.NaN)
                .toArray());
        baseline = sgd.isPresent();
        tested = Arrays.stream(p).anyMatch(Double::isFinite);
        for (int i = 0; i < p.length; i++) add(new Finding(rows.get(i), compared.get(i), p[i]), pairs.get(i));
    }

    /** Accuracies in percent of two rows, of the seeds that both have. */
    private record Pairs(double[] own, double[] other) {
        static final Pairs NONE = new Pairs(new double[0], new double[0]);

        static Pairs of(Summary.Row row, Summary.Row other) {
            Map<Long, Double> theirs = other.scores().stream()
                    .collect(Collectors.toMap(Summary.Score::seed, s -> 100 * s.accuracy(), (a, b) -> a));
            List<Summary.Score> both = row.scores().stream()
                    .filter(s -> theirs.containsKey(s.seed()))
                    .toList();
            return new Pairs(
                    both.stream().mapToDouble(s -> 100 * s.accuracy()).toArray(),
                    both.stream().mapToDouble(s -> theirs.get(s.seed())).toArray());
        }

        /** Without an interval and p where there are not two pairs. */
        PairedComparison compared() {
            return own.length == 0
                    ? new PairedComparison(0, Double.NaN, Interval.ABSENT, Double.NaN, Double.NaN)
                    : Statistics.paired(own, other);
        }

        String bootstrap() {
            if (own.length < 2) return "";
            Interval interval = Statistics.pairedBootstrap(own, other);
            return interval.present() ? "[" + signed(interval.low()) + ", " + signed(interval.high()) + "]" : "";
        }
    }

    /**
     * A finding on a method's own way to predict.
     *
     * @param pair its accuracy less SGD's, in points
     * @param p corrected by Holm; NaN where nothing was tested
     */
    record Finding(Summary.Row row, PairedComparison pair, double p) {
        boolean isBeyondChance() {
            return p < LEVEL;
        }

        /** {@code +0.85 ±0.20 *}; empty where there is nothing to compare. */
        String difference() {
            return pair.n() == 0 ? "" : ResultTable.difference(pair);
        }
    }

    static String difference(PairedComparison pair) {
        return signed(pair.meanDifference()) + Statistics.interval(pair.interval(), 2, -100, 100);
    }

    private static boolean isBaseline(Summary.Row row) {
        return row.method().equals(BASELINE) && row.combiner().isEmpty();
    }

    private static double[] values(Summary.Row row, double scale) {
        return row.scores().stream().mapToDouble(s -> scale * s.accuracy()).toArray();
    }

    private void add(Finding finding, Pairs pairs) {
        Summary.Row row = finding.row();
        double p = finding.p();
        double[] accuracy = values(row, 100);
        String name = row.isPrimary() ? row.method() : row.label();
        boolean own = row.isPrimary() || row.isAnew();
        if (own)
            figures.add(Figures.of(
                    name, row, finding.pair().meanDifference(), finding.pair().interval(), p));
        if (own && !isBaseline(row))
            differences.put(name, finding.difference() + (finding.isBeyondChance() ? " *" : ""));
        (own || row.isAtAnotherBudget() ? cells : beside)
                .add(List.of(
                        name,
                        Statistics.format(row.epochs(), 1),
                        row.statistics() == 0 ? "" : Statistics.format(row.statisticsEpochs(), 1),
                        Integer.toString(row.passes()),
                        Statistics.meanAndInterval(accuracy, 2, 0, 100),
                        figure(row, Summary.Score::nll, 1, 4, Double.MAX_VALUE),
                        figure(row, Summary.Score::calibrated, 1, 4, Double.MAX_VALUE),
                        figure(row, Summary.Score::ece, 100, 2, 100),
                        finding.difference(),
                        pairs.bootstrap(),
                        Double.isNaN(p) ? "" : chance(p) + (p < LEVEL ? " *" : "")));
        if (!row.isPrimary() || isBaseline(row)) return;
        findings.add(finding);
        if (finding.isBeyondChance()) (finding.pair().meanDifference() > 0 ? better : worse).add(name);
        else open.add(name);
    }

    static String chance(double p) {
        return p < 0.001 ? "<0.001" : Statistics.format(p, 3);
    }

    private static String figure(
            Summary.Row row, Function<Summary.Score, Double> which, double scale, int decimals, double most) {
        List<Double> values = row.scores().stream().map(which).toList();
        if (values.contains(null)) return "n/a";
        return Statistics.meanAndInterval(
                values.stream().mapToDouble(v -> scale * v).toArray(), decimals, 0, most);
    }

    private static String signed(double value) {
        return Format.of("%+.2f", value);
    }

    private int seeds() {
        return summary.rows().stream().mapToInt(r -> r.scores().size()).max().orElse(0);
    }

    /** The conclusions that the figures support. */
    public String conclusion() {
        return said.apply(conclusion(half()));
    }

    /** The same with parameters between back-quotes, {@code half} being SGD's mean accuracy in percent at half of the epochs. */
    String conclusion(Optional<Double> half) {
        return overall()
                + (baseline || primary().size() < 2 ? "" : " Differences need sgd: add it to `methods`.")
                + budget(half);
    }

    /** What the differences to SGD allow one to say. */
    String overall() {
        if (primary().size() == 1 && seeds() < 2) {
            return figures.get(0).method() + ": accuracy " + cells.get(0).get(HEADER.indexOf("accuracy %"))
                    + " %. One method alone: nothing is compared.";
        }
        if (seeds() < 2) return "1 seed: no intervals, and any difference may be chance. Train 5 seeds to learn more.";
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

    /** The article's own claims, of methods that are both there: SWA against snapshot ensembles and against FGE. */
    public List<String> claims() {
        List<String> all = new ArrayList<>();
        for (String other : List.of("snapshot", "fge")) {
            PairedComparison pair = against("swa", other).orElse(null);
            if (pair == null || pair.n() < 2) continue;
            all.add("swa against " + other + ": " + difference(pair) + " points, p " + chance(pair.p())
                    + " (paired t, not corrected)");
        }
        return all;
    }

    /** Of each method but the baseline, in the table's order. */
    List<Finding> findings() {
        return List.copyOf(findings);
    }

    /** {@code method}'s accuracy less that of {@code other}, over the seeds of both; nothing where one is not there. */
    Optional<PairedComparison> against(String method, String other) {
        return primary(method)
                .flatMap(a -> primary(other).map(b -> Pairs.of(a, b).compared()))
                .filter(p -> p.n() > 0);
    }

    Optional<Summary.Row> primary(String method) {
        return primary().stream().filter(r -> r.method().equals(method)).findFirst();
    }

    /** Each method's own. */
    List<Summary.Row> primary() {
        return summary.rows().stream().filter(Summary.Row::isPrimary).toList();
    }

    /** What half of the budget would have given: one of the independent nets, where they are two. Costs nothing. */
    private String budget(Optional<Double> half) {
        if (!baseline) return "";
        if (half.isEmpty()) return primary().size() < 2 ? "" : " " + unchecked() + ".";
        double gain = sgd().orElseThrow() - half.get();
        return Format.of(
                " SGD gains %+.2f points from half of these epochs to all of them: %s what the papers call a budget.",
                gain, gain >= ENOUGH ? "they are below" : "that is within");
    }

    /** Why {@link #half} is nothing, and what would be something. */
    String unchecked() {
        return primary("independent").isEmpty()
                ? UNCHECKED
                : "Budget not checked: it takes `independent.runs` 2, of half of the epochs each";
    }

    /** SGD's mean accuracy in percent; nothing where it is not among the methods. */
    Optional<Double> sgd() {
        return primary(BASELINE).map(r -> Statistics.mean(values(r, 100)));
    }

    /** SGD's mean accuracy in percent at half of the epochs, where independent nets show it. */
    Optional<Double> half() {
        return primary(BASELINE)
                .flatMap(sgd -> summary.rows().stream()
                        .filter(r -> r.combiner().equals(Summary.Row.ALONE)
                                && Math.abs(2 * r.epochs() - sgd.epochs()) <= 0.01 * sgd.epochs())
                        .findFirst())
                .map(half -> Statistics.mean(values(half, 100)));
    }

    /** Differences to SGD, by line of the table; a star is beyond chance. */
    Map<String, String> differences() {
        return Collections.unmodifiableMap(differences);
    }

    /** The methods' lines as numbers, for programs. */
    public List<Figures> figures() {
        return List.copyOf(figures);
    }

    /** Aligned columns for a terminal. */
    public String text() {
        return Page.text(rows());
    }

    /** Aligned columns of what stands beside the methods; empty where nothing does. */
    public String textBeside() {
        if (beside.isEmpty()) return "";
        boolean fitted = summary.rows().stream().anyMatch(r -> r.combiner().equals("ridge"));
        return Page.text(beside()) + (fitted ? FITTED + "\n" : "");
    }

    /** Each method's difference to SGD; null where there is none. */
    @Nullable
    Forest forest() {
        List<Forest.Row> differences = differences("");
        return differences.isEmpty() ? null : new Forest("Differences to SGD", Forest.POINTS, differences);
    }

    /** The same under the name of a group. */
    List<Forest.Row> differences(String group) {
        return findings.stream()
                .filter(f -> f.pair().n() > 0)
                .map(f -> new Forest.Row(
                        group,
                        f.row().method(),
                        f.pair().meanDifference(),
                        f.pair().interval().low(),
                        f.pair().interval().high()))
                .toList();
    }

    List<List<String>> rows() {
        return rows(cells);
    }

    /** Other ways to combine a method's models, and what the methods are held against; nothing where there are none. */
    List<List<String>> beside() {
        return beside.isEmpty() ? List.of() : rows(beside);
    }

    /** Without the columns that have nothing to say. */
    private List<List<String>> rows(List<List<String>> body) {
        List<List<String>> all = new ArrayList<>();
        all.add(HEADER);
        all.addAll(body);
        return all.stream()
                .map(row -> IntStream.range(0, row.size())
                        .filter(c -> !OPTIONAL.contains(HEADER.get(c))
                                || body.stream().anyMatch(r -> !NOTHING.contains(r.get(c))))
                        .mapToObj(row::get)
                        .toList())
                .toList();
    }
}
