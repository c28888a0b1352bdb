package io.basin.report;

import io.basin.Nullable;
import io.basin.text.Format;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.function.UnaryOperator;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/**
 * Finished comparisons side by side: where does averaging pay?
 *
 * <p>Runs that differ in nothing but seeds and methods are one comparison, whoever made them where; those that differ in epochs too
 * are one regime at several budgets. A budget is the first number of epochs, as the papers use the word, from whose half on SGD
 * gains less than {@value ResultTable#ENOUGH} points. A method that was tried with several settings is a row for each.
 */
public final class Regimes {
    private static final String SGD = "sgd";
    /** Characters of a table's line. */
    private static final int WIDE = 120;

    private final List<FinishedRun> runs;
    private final List<FinishedWidth> widths;
    private final List<Setting> settings = new ArrayList<>();
    private final String common;

    /** One comparison: a regime at a number of epochs. */
    record Setting(String regime, double epochs, String budget, Optional<Double> half, ResultTable table) {
        String name() {
            String time = Statistics.format(epochs, 0) + " epochs" + (budget.isEmpty() ? "" : ", " + budget);
            return regime.isEmpty() ? time : regime + "; " + time;
        }
    }

    /** A claim of the article, and what became of it. */
    record Verdict(Setting setting, String claim, String verdict, String measured) {}

    private Regimes(List<FinishedRun> runs, List<FinishedWidth> widths, UnaryOperator<String> flags) {
        this.runs = runs;
        this.widths = widths;
        Map<Map<String, String>, TreeMap<Double, List<FinishedRun>>> regimes = new LinkedHashMap<>();
        for (FinishedRun run : runs) {
            regimes.computeIfAbsent(run.setting(), s -> new TreeMap<>())
                    .computeIfAbsent(run.epochs(), e -> new ArrayList<>())
                    .add(run);
        }
        Map<Map<String, String>, List<String>> words = words(regimes.keySet(), flags);
        List<String> shared = new ArrayList<>(words.values().iterator().next());
        words.values().forEach(shared::retainAll);
        common = String.join(", ", shared);
        regimes.forEach((setting, budgets) -> {
            TreeMap<Double, ResultTable> tables = new TreeMap<>();
            String name = Objects.requireNonNull(words.get(setting)).stream()
                    .filter(w -> !shared.contains(w))
                    .collect(Collectors.joining(", "));
            budgets.forEach((epochs, same) -> tables.put(epochs, table(name, same)));
            Map<Double, String> kinds = budgets(tables);
            tables.forEach((epochs, table) -> settings.add(
                    new Setting(name, epochs, kinds.getOrDefault(epochs, ""), half(tables, epochs), table)));
        });
    }

    /**
     * @param places run folders, folders of such, and files that {@link #write(Path)} wrote
     * @param flags how readers know a setting that is called so in {@code config.json}
     */
    public static Regimes read(List<Path> places, UnaryOperator<String> flags) {
        List<FinishedRun> runs = new ArrayList<>();
        List<FinishedWidth> widths = new ArrayList<>();
        for (Path place : places) runs.addAll(FinishedRun.read(place, widths));
        if (runs.isEmpty()) {
            throw new IllegalArgumentException(widths.get(0).source()
                    + ": the width of optima, which has a page of its own, is shown beside comparisons: name one too");
        }
        return new Regimes(runs, widths, flags);
    }

    /** Parts that all settings share, such as data set and net, so that their names can omit them. */
    public String common() {
        return common;
    }

    /** Writes all that was read into one small file, of which the same report can be made again. */
    public void write(Path file) {
        FinishedRun.write(file, runs, widths);
    }

    /** By data set, net, images, labels and augmentation, and by whatever else tells them apart. */
    private static Map<Map<String, String>, List<String>> words(
            Set<Map<String, String>> all, UnaryOperator<String> flags) {
        Set<String> others = differing(all);
        others.removeAll(List.of("dataset", "model", "data.trainSamples", "data.labelNoise", "data.pad", "data.flip"));
        Map<Map<String, String>, List<String>> words = new LinkedHashMap<>();
        for (Map<String, String> s : all) {
            int images = (int) number(s, "data.trainSamples");
            double noise = number(s, "data.labelNoise");
            List<String> augmentation = new ArrayList<>();
            if (number(s, "data.pad") > 0) augmentation.add("crops");
            if (s.getOrDefault("data.flip", "").equals("true")) augmentation.add("flips");
            for (String more : List.of("jitter", "cutout", "mixup")) {
                if (number(s, "data." + more) > 0) augmentation.add(more);
            }
            List<String> of = new ArrayList<>(List.of(
                    s.getOrDefault("dataset", "?"),
                    s.getOrDefault("model", "?"),
                    images == 0 ? "all images" : Format.of("%,d images", images),
                    noise > 0 ? Statistics.format(100 * noise, 0) + " % wrong labels" : "labels as published",
                    augmentation.isEmpty() ? "no augmentation" : String.join(" and ", augmentation)));
            others.forEach(k -> of.add(other(k, s.getOrDefault(k, "not given"), flags)));
            words.put(s, of);
        }
        return words;
    }

    /** Of a fingerprint of data, the digits that one compares. */
    private static String other(String name, String value, UnaryOperator<String> flags) {
        if (name.equals("data")) return "data " + value.replaceFirst(".*SHA-256 (\\w{8})\\w*", "$1");
        return flags.apply(name) + " " + value;
    }

    private static double number(Map<String, String> setting, String name) {
        String text = setting.getOrDefault(name, "0");
        return text.matches("[0-9.eE+-]+") ? Double.parseDouble(text) : 0;
    }

    /** Names whose values are not the same everywhere. */
    private static Set<String> differing(Collection<Map<String, String>> all) {
        Set<String> names = new TreeSet<>();
        all.forEach(m -> names.addAll(m.keySet()));
        names.removeIf(
                n -> all.stream().map(m -> m.getOrDefault(n, "")).distinct().count() == 1);
        return names;
    }

    private record Way(String method, String combiner, Map<String, String> settings) {}

    /** The runs of equal epochs as one comparison. */
    private static ResultTable table(String name, List<FinishedRun> runs) {
        Map<Way, Summary.Row> merged = new LinkedHashMap<>();
        for (FinishedRun run : runs) {
            for (Summary.Row row : run.rows()) {
                Way way = new Way(row.method(), row.combiner(), run.settings(row.method()));
                merged.merge(way, row, (a, b) -> together(a, b, run.source()));
            }
        }
        Map<String, Set<Map<String, String>>> ways = merged.keySet().stream()
                .collect(Collectors.groupingBy(
                        Way::method, Collectors.mapping(Way::settings, Collectors.toCollection(LinkedHashSet::new))));
        List<Summary.Row> rows = new ArrayList<>();
        merged.forEach((way, row) -> {
            Set<String> differing = differing(Objects.requireNonNull(ways.get(way.method())));
            String told = differing.stream()
                    .map(k -> k + " " + way.settings().getOrDefault(k, ""))
                    .collect(Collectors.joining(", "));
            rows.add(named(row, told.isEmpty() ? way.method() : way.method() + ", " + told));
        });
        return new ResultTable(new Summary(name, Map.of(), rows, List.of(), List.of()));
    }

    private static Summary.Row named(Summary.Row r, String method) {
        return new Summary.Row(method, r.combiner(), r.epochs(), r.statistics(), r.passes(), r.scores());
    }

    private static Summary.Row together(Summary.Row a, Summary.Row b, String source) {
        TreeMap<Long, Summary.Score> scores = new TreeMap<>();
        a.scores().forEach(s -> scores.put(s.seed(), s));
        for (Summary.Score s : b.scores()) {
            Summary.Score there = scores.put(s.seed(), s);
            if (there != null && there.accuracy() != s.accuracy()) {
                throw new IllegalArgumentException(source + ": has another accuracy for " + a.label() + ", seed "
                        + s.seed() + " than a run before it that had the same settings; leave one of them out");
            }
        }
        return new Summary.Row(
                a.method(), a.combiner(), a.epochs(), a.statistics(), a.passes(), List.copyOf(scores.values()));
    }

    /** The regime's epochs below, at or beyond a budget; nothing where SGD at half of them was not measured. */
    private static Map<Double, String> budgets(NavigableMap<Double, ResultTable> tables) {
        Map<Double, String> words = new TreeMap<>();
        Double at = null;
        for (Map.Entry<Double, ResultTable> entry : tables.entrySet()) {
            Optional<Double> gain = entry.getValue()
                    .sgd()
                    .flatMap(all -> half(tables, entry.getKey()).map(half -> all - half));
            if (at == null && gain.isPresent() && gain.get() < ResultTable.ENOUGH) at = entry.getKey();
            if (at != null) words.put(entry.getKey(), at.equals(entry.getKey()) ? "the budget" : "beyond the budget");
            else if (gain.isPresent()) words.put(entry.getKey(), "below the budget");
        }
        if (at != null) for (double e : tables.headMap(at).keySet()) words.put(e, "below the budget");
        return words;
    }

    /** SGD's accuracy at half of the epochs: of runs of their own, or of independent nets. */
    private static Optional<Double> half(Map<Double, ResultTable> tables, double epochs) {
        return Optional.ofNullable(tables.get(epochs / 2))
                .flatMap(ResultTable::sgd)
                .or(() -> Objects.requireNonNull(tables.get(epochs)).half());
    }

    List<Setting> settings() {
        return List.copyOf(settings);
    }

    /** Differences to SGD in points, settings by methods, or the other way round where that is too wide; a star is beyond chance. */
    public List<List<String>> table() {
        Set<String> methods = new LinkedHashSet<>();
        settings.forEach(s -> methods.addAll(s.table().differences().keySet()));
        List<List<String>> rows = new ArrayList<>();
        List<String> header = new ArrayList<>(List.of("setting", "seeds", "sgd %"));
        header.addAll(methods);
        rows.add(header);
        for (Setting s : settings) {
            List<String> row = new ArrayList<>(List.of(
                    s.name(),
                    seeds(s),
                    s.table()
                            .sgd()
                            .map(accuracy -> Statistics.format(accuracy, 2))
                            .orElse("")));
            methods.forEach(m -> row.add(s.table().differences().getOrDefault(m, "")));
            rows.add(row);
        }
        List<List<String>> other = transposed(rows);
        return width(rows) > WIDE && width(other) < width(rows) ? other : rows;
    }

    private static int width(List<List<String>> rows) {
        return Page.text(rows).lines().mapToInt(String::length).max().orElse(0);
    }

    private static List<List<String>> transposed(List<List<String>> rows) {
        return IntStream.range(0, rows.get(0).size())
                .mapToObj(c -> rows.stream().map(r -> r.get(c)).toList())
                .toList();
    }

    private static String seeds(Setting s) {
        return s.table()
                .primary(SGD)
                .map(r -> Integer.toString(r.scores().size()))
                .orElse("");
    }

    /** The conclusion: regimes in which SWA is better than SGD, and those in which it is not. */
    public String conclusion() {
        Map<String, List<String>> by = new LinkedHashMap<>();
        for (String verdict : List.of("confirmed", "refuted", "open")) by.put(verdict, new ArrayList<>());
        verdicts().stream()
                .filter(v -> v.claim().equals(Claims.BETTER))
                .forEach(v -> Objects.requireNonNull(by.get(v.verdict()))
                        .add(v.setting().name()));
        int all = by.values().stream().mapToInt(List::size).sum();
        List<String> words = new ArrayList<>();
        if (all == 0)
            words.add("SGD and SWA, the latter with one choice of settings, do not meet here, so no claim is judged");
        say(words, "SWA is better than SGD beyond chance in ", all, by.get("confirmed"));
        say(words, "Worse in ", all, by.get("refuted"));
        say(words, "Undecided in ", all, by.get("open"));
        settings.stream()
                .filter(s -> s.table().sgd().isPresent() && s.budget().isEmpty())
                .collect(Collectors.groupingBy(
                        s -> s.table().unchecked(),
                        LinkedHashMap::new,
                        Collectors.mapping(Setting::name, Collectors.joining(" | ", " (", ")"))))
                .forEach((why, where) -> words.add(why + (settings.size() == 1 ? "" : where)));
        return String.join(". ", words) + ".";
    }

    private static void say(List<String> words, String what, int all, @Nullable List<String> where) {
        if (where != null && !where.isEmpty()) {
            words.add(what + where.size() + " of " + all + " settings: " + String.join(" | ", where));
        }
    }

    /** The article's claims (Izmailov et al. 2018), setting by setting: confirmed, refuted or open. */
    List<Verdict> verdicts() {
        return settings.stream()
                .flatMap(s ->
                        Claims.of(s.table()).stream().map(c -> new Verdict(s, c.claim(), c.verdict(), c.measured())))
                .toList();
    }

    /** {@link #verdicts} as a table. */
    public List<List<String>> claims() {
        List<List<String>> rows = new ArrayList<>();
        rows.add(List.of("claim", "setting", "verdict", "measured"));
        verdicts().stream()
                .sorted(Comparator.comparing(Verdict::claim))
                .forEach(v -> rows.add(List.of(v.claim(), v.setting().name(), v.verdict(), v.measured())));
        widths.forEach(w -> rows.addAll(w.claims()));
        return rows;
    }

    /** What each method takes, a line a method: nets of a prediction, epochs, and those that batch norm's statistics are worth. */
    public List<List<String>> costs() {
        List<Summary.Row> all =
                settings.stream().flatMap(s -> s.table().primary().stream()).toList();
        List<List<String>> rows = new ArrayList<>(List.of(List.of("method", "nets", "epochs", "BN epochs")));
        for (String method : all.stream().map(Summary.Row::method).distinct().toList()) {
            List<Summary.Row> own =
                    all.stream().filter(row -> row.method().equals(method)).toList();
            rows.add(List.of(
                    method,
                    each(own, row -> Integer.toString(row.passes())),
                    each(own, row -> Statistics.format(row.epochs(), 1)),
                    each(own, row -> Statistics.format(row.statisticsEpochs(), 1))));
        }
        return rows;
    }

    private static String each(List<Summary.Row> rows, Function<Summary.Row, String> figure) {
        return rows.stream().map(figure).distinct().collect(Collectors.joining(", "));
    }

    /** Where averaging pays, as a picture; null where nothing was compared to SGD. */
    @Nullable
    public Picture figure() {
        List<Forest.Row> rows = settings.stream()
                .flatMap(s -> s.table().differences(s.name()).stream())
                .toList();
        return rows.isEmpty() ? null : new Forest("Where averaging pays: " + common, Forest.POINTS, rows);
    }

    /**
     * The whole of it as one file, which needs neither network nor scripts.
     *
     * @param said puts the caller's words in the place of parameters, which stand between back-quotes
     */
    public void page(Path file, UnaryOperator<String> said) {
        Page page = new Page("Where averaging pays: " + common)
                .conclusion(said.apply(conclusion()))
                .figure(
                        figure(),
                        "Accuracy less that of SGD at the same epochs, with the 95 % interval of the mean over seeds;"
                                + " differences are paired by seed.")
                .table(table())
                .paragraph(
                        "Differences to SGD in points of accuracy: mean and half-width of the 95 % t-interval. A star: p < "
                                + ResultTable.LEVEL
                                + " in a paired t-test, corrected by Holm for the methods of its row. The"
                                + " budget: the first number of epochs from whose half on SGD gains less than "
                                + ResultTable.ENOUGH + " points.");
        List<List<String>> claims = claims();
        if (claims.size() > 1) {
            page.heading("The article's claims")
                    .words(claims)
                    .paragraph(
                            "Izmailov et al. 2018, Averaging Weights Leads to Wider Optima and Better Generalization."
                                    + " Open: the seeds cannot tell. Close to FGE: the interval of the difference lies above -"
                                    + Claims.CLOSE + " points.");
        }
        page.heading("What each method takes").table(costs()).glossary(Glossary.of(costs().get(0), List.of()));
        for (Setting s : settings) {
            page.heading(s.name())
                    .table(s.table().rows())
                    .paragraph(said.apply(
                            s.budget().isEmpty() || s.half().isPresent()
                                    ? s.table().conclusion(s.half())
                                    : s.table().overall()));
        }
        page.folded(
                runs.size() + " runs",
                p -> p.words(Stream.concat(
                                Stream.of(List.of("run", "device", "command")),
                                runs.stream().map(FinishedRun::words))
                        .toList()));
        page.write(file);
    }
}
