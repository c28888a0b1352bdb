package io.basin.cli;

import io.basin.Nullable;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.ensemble.Combiners;
import io.basin.ensemble.FileEnsemble;
import io.basin.ensemble.Metrics;
import io.basin.ensemble.ModelFile;
import io.basin.ensemble.RunFolder;
import io.basin.io.Json;
import io.basin.report.Lines;
import io.basin.report.Statistics;
import io.basin.text.Format;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "ensemble",
        description = "Combines predictions of weights files and runs, of any nets of one data set, on the test part.",
        footer = {
            "",
            "One pass gives every prefix of 1 to k members. Weights and ridge stacking are fitted on validation samples"
                    + " that no member was trained on. A folder stands for its method's model; where that method's"
                    + " result is an ensemble, for its members. Of a folder with several methods name one with --methods. Memory is that of one net, whatever the number of members.",
            "",
            "Examples:",
            "  basin ensemble runs/a/seed-1/fge",
            "  basin ensemble runs/cnn runs/resnet --methods fge --combine ridge",
            "  basin ensemble --curve runs/connect --points 11",
            "  basin ensemble a.safetensors b.safetensors --combine vote --svg members.svg"
        })
final class EnsembleCommand implements Runnable {
    enum Combine {
        MEAN,
        VOTE,
        WEIGHTED,
        RIDGE
    }

    @Parameters(paramLabel = "RUN", arity = "0..*", description = "weights files, and folders of runs")
    private List<Path> paths = List.of();

    @Option(
            names = "--curve",
            paramLabel = "DIR",
            description = "nets along the curve of this 'basin connect' run, instead of RUNs; default none")
    private Path curve;

    private static final int POINTS = 5;

    @Option(names = "--points", description = "of --curve, its ends included; default 5")
    private Integer points;

    @Option(
            names = "--combine",
            defaultValue = "MEAN",
            description = "mean of probabilities, vote, weighted or ridge; default mean")
    private Combine combine;

    @Option(
            names = {"--methods", "--method"},
            split = ",",
            description =
                    "whose models to take from folders, or 'all'; default: a folder must hold those of one method")
    private List<String> methods = List.of();

    @Mixin
    private Flags.LenientData on;

    @Option(
            names = "--newest-first",
            description = "grow the ensemble from the last member back, as the papers' figures do")
    private boolean newestFirst;

    @Option(
            names = "--temperature",
            description =
                    "scale the mean's confidences by a temperature fitted on held-out samples, or where there are none on each"
                            + " half of the test part for the other")
    private boolean scaled;

    @Option(names = "--json", description = "writes the figures")
    private Path json;

    @Option(names = "--svg", description = "draws accuracy against the number of members")
    private Path svg;

    @Override
    public void run() {
        Outputs.require("--json", json);
        Outputs.require("--svg", svg);
        Outputs.requireApart(new String[] {"--json", "--svg"}, json, svg);
        if (paths.isEmpty() == (curve == null)) {
            throw new IllegalArgumentException(
                    curve == null
                            ? "RUN is missing: name weights files or folders of runs"
                            : "name RUNs, or --curve, not both");
        }
        if (curve == null && points != null) {
            throw new IllegalArgumentException("--points is of --curve, which is not named");
        }
        Progress progress = new Bars().progress();
        if (curve != null) {
            alongCurve(progress);
            return;
        }
        List<ModelFile> models = ordered(
                RunFolder.models(paths, methods).stream().map(on::forgiven).toList());
        TrainTest data = on.data(models, progress);
        on.with(models, data, splits -> measure(splits, models, data, progress));
    }

    private void measure(Splits splits, List<ModelFile> models, TrainTest data, Progress progress) {
        boolean fit = combine == Combine.WEIGHTED || combine == Combine.RIDGE;
        print(models, data, FileEnsemble.measure(splits, models, fit, progress));
        if (scaled) System.out.println("all " + models.size() + ", mean" + Scaled.of(splits, models, progress));
    }

    /** Its members are made here, measured and thrown away. */
    private void alongCurve(Progress progress) {
        CurveMembers along = CurveMembers.of(curve);
        List<ModelFile> ends = along.ends().stream().map(on::forgiven).toList();
        TrainTest data = on.data(ends, progress);
        on.with(ends, data, splits -> {
            Path folder = CurveMembers.temporary();
            List<ModelFile> members = List.of();
            try {
                members = along.write(folder, points == null ? POINTS : points, splits, progress);
                measure(splits, ordered(members), data, progress);
            } finally {
                CurveMembers.delete(folder, members);
            }
        });
    }

    private List<ModelFile> ordered(List<ModelFile> models) {
        List<ModelFile> all = new ArrayList<>(models);
        if (newestFirst) Collections.reverse(all);
        return all;
    }

    private void print(List<ModelFile> models, TrainTest data, FileEnsemble.Outcome outcome) {
        Flags.LenientData.say(models, data);
        print(models, outcome);
        if (json != null) Json.write(json, figures(models, data, outcome));
        Outputs.picture(svg, () -> picture(outcome));
    }

    /** Of the combiner that was asked for; ridge has no prefixes, its table shows the mean's. */
    private List<Metrics> prefixes(FileEnsemble.Outcome o) {
        return switch (combine) {
            case MEAN, RIDGE -> o.mean();
            case VOTE -> o.vote();
            case WEIGHTED -> o.weighted();
        };
    }

    private void print(List<ModelFile> models, FileEnsemble.Outcome o) {
        String prefix = combine == Combine.RIDGE ? "mean" : combine.name().toLowerCase(Locale.ROOT);
        System.out.println(Format.of("members  alone %%  %s so far %%     NLL  ECE %%  file", prefix));
        List<Metrics> prefixes = prefixes(o);
        for (int i = 0; i < models.size(); i++) {
            Metrics m = prefixes.get(i);
            System.out.println(Format.of(
                    "%7d  %7.2f  %" + (prefix.length() + 9) + ".2f  %6s  %5s  %s",
                    i + 1,
                    100 * o.alone().get(i).accuracy(),
                    100 * m.accuracy(),
                    Combiners.givesProbabilities(prefix) ? Statistics.format(m.nll(), 4) : "n/a",
                    Combiners.givesProbabilities(prefix) ? Statistics.format(100 * m.ece(), 2) : "n/a",
                    name(models.get(i))));
        }
        System.out.println();
        all(models.size(), o)
                .forEach((name, m) ->
                        System.out.println(Format.of("all %d, %s: %s", models.size(), name, said(name, m))));
        if (o.ridge() != null) {
            System.out.println(Format.of("Fitted on the validation part; ridge's lambda %.0e.", o.lambda()));
        }
    }

    private static String said(String combiner, Metrics m) {
        if (Combiners.givesProbabilities(combiner)) return m.toString();
        return Format.of("accuracy %.2f %%, NLL n/a, ECE n/a over %d samples", 100 * m.accuracy(), m.count());
    }

    private static Map<String, Metrics> all(int members, FileEnsemble.Outcome o) {
        Map<String, Metrics> all = new LinkedHashMap<>();
        all.put("mean", o.mean().get(members - 1));
        all.put("vote", o.vote().get(members - 1));
        if (o.ridge() != null) {
            all.put("weighted", o.weighted().get(members - 1));
            all.put("ridge", o.ridge());
        }
        return all;
    }

    /** Of a net along a curve its place. */
    private String name(ModelFile model) {
        return curve == null
                ? model.toString()
                : model.file().getFileName().toString().replace(".safetensors", "");
    }

    private Map<String, Object> figures(List<ModelFile> models, TrainTest data, FileEnsemble.Outcome o) {
        Map<String, Object> figures = new LinkedHashMap<>();
        figures.put("data", data.fingerprint());
        figures.put("files", models.stream().map(this::name).toList());
        figures.put("alone", Figures.of("", o.alone()));
        figures.put("mean", Figures.of("mean", o.mean()));
        figures.put("vote", Figures.of("vote", o.vote()));
        if (o.ridge() != null) {
            figures.put("weights", o.weights());
            figures.put("weighted", Figures.of("weighted", o.weighted()));
            figures.put("ridge", Figures.of("ridge", o.ridge()));
            figures.put("lambda", o.lambda());
        }
        return figures;
    }

    /** JSON's null stands where a combiner gives no probabilities. */
    private record Figures(
            double accuracy, @Nullable Double nll, @Nullable Double ece) {
        static Figures of(String combiner, Metrics m) {
            boolean likely = Combiners.givesProbabilities(combiner);
            return new Figures(m.accuracy(), likely ? m.nll() : null, likely ? m.ece() : null);
        }

        static List<Figures> of(String combiner, List<Metrics> all) {
            return all.stream().map(m -> of(combiner, m)).toList();
        }
    }

    private static String picture(FileEnsemble.Outcome o) {
        Lines lines = new Lines("Test accuracy of the first k members", "members", "accuracy, %");
        double[] k = IntStream.rangeClosed(1, o.alone().size()).asDoubleStream().toArray();
        lines.dotted("each alone", k, accuracies(o.alone()));
        lines.dotted("mean", k, accuracies(o.mean()));
        lines.dotted("vote", k, accuracies(o.vote()));
        if (o.ridge() != null) lines.dotted("weighted", k, accuracies(o.weighted()));
        return lines.svg();
    }

    private static double[] accuracies(List<Metrics> metrics) {
        return metrics.stream().mapToDouble(m -> 100 * m.accuracy()).toArray();
    }
}
