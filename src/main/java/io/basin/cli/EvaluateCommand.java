package io.basin.cli;

import io.basin.compare.Options;
import io.basin.compare.Probabilities;
import io.basin.compare.RobustnessEval;
import io.basin.data.Corruption;
import io.basin.data.OwnData;
import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.ensemble.Metrics;
import io.basin.ensemble.ModelFile;
import io.basin.io.FormatException;
import io.basin.report.Charts;
import io.basin.report.Extras;
import io.basin.report.Lines;
import io.basin.report.Statistics;
import io.basin.text.Format;
import io.basin.train.BatchNormUpdate;
import io.basin.train.DivergedException;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "evaluate",
        description = "Accuracy, NLL and ECE of weights files on their data set's test part.",
        footer = {
            "",
            "Two files are also compared by McNemar's test: whether these two nets err equally often. It says nothing of"
                    + " the methods that made them; for that, compare several seeds.",
            "",
            "Examples:",
            "  basin evaluate runs/swa/seed-1/swa/swa.safetensors",
            "  basin evaluate sgd.safetensors swa.safetensors",
            "  basin evaluate swa.safetensors --corruptions --ood noise --reliability swa.svg",
            "  basin evaluate runs/mine/seed-*/swa/swa.safetensors --csv - > swa.csv"
        })
final class EvaluateCommand implements Runnable {
    @Parameters(paramLabel = "FILE", arity = "1..*", description = "safetensors files that train or compare wrote")
    private List<Path> files;

    @Mixin
    private Flags.LenientData on;

    @Mixin
    private Flags.Probes probes;

    @Mixin
    private Results results;

    @Option(names = "--reliability", paramLabel = "SVG", description = "draws confidence against accuracy")
    private Path reliability;

    @Option(
            names = "--temperature",
            description =
                    "scale confidences by a temperature fitted on held-out samples, or where there are none on each half of the"
                            + " test part for the other")
    private boolean scaled;

    @Override
    public void run() {
        Outputs.require("--reliability", reliability);
        results.require();
        probes.require();
        List<ModelFile> models =
                files.stream().map(f -> on.forgiven(ModelFile.of(f))).toList();
        Progress progress = new Bars().progress();
        TrainTest data = on.data(models, progress);
        int[] labels = data.test().labels();
        List<Probabilities> scored = new ArrayList<>();
        List<Measured> measured = new ArrayList<>();
        Options asked = probes.add(new Options(0, BatchNormUpdate.AUTO), data.test(), progress);
        on.with(models, data, splits -> {
            if (results.inWords()) Flags.LenientData.say(models, data);
            for (ModelFile file : models) {
                try (Model model = file.open(splits)) {
                    Evaluator onTest = model.on(splits, Splits.Part.TEST);
                    Probabilities p = predicted(file, onTest, model);
                    scored.add(p);
                    Extras probed = new RobustnessEval(data.test(), asked, Progress.NONE)
                            .of("", 0, set -> set == data.test() ? p : Probabilities.of(model, set));
                    measured.add(Measured.of(file, p.metrics(labels), probed));
                    say(measured.get(measured.size() - 1), file, p, splits, progress);
                }
            }
        });
        Pair pair = scored.size() == 2 ? Pair.of(scored.get(0), scored.get(1), labels) : null;
        if (pair != null && results.inWords()) print(pair);
        results.write(measured.stream().flatMap(Measured::rows).toList(), () -> {
            Map<String, Object> whole = new LinkedHashMap<>();
            whole.put("data", data.fingerprint());
            whole.put("files", measured);
            if (pair != null) whole.put("mcnemar", pair);
            return whole;
        });
        Outputs.picture(reliability, () -> picture(models, scored, labels));
    }

    private static Probabilities predicted(ModelFile file, Evaluator onTest, Model model) {
        try {
            return Probabilities.mean(onTest, List.of(file.into(model).weights()));
        } catch (DivergedException e) {
            throw new FormatException(file.file().toString(), e.getMessage() + ": its weights are too large");
        }
    }

    private void say(Measured measured, ModelFile file, Probabilities p, Splits splits, Progress progress) {
        if (results.inWords()) print(measured);
        if (!scaled) return;
        String line = " " + Scaled.of(splits, List.of(file), p.p(), progress);
        (results.inWords() ? System.out : System.err).println(line);
    }

    /** The JSON of a file: fractions, not %; NLL in nats. */
    private record Measured(
            String file,
            String model,
            String dataset,
            long samples,
            double accuracy,
            double nll,
            double ece,
            List<Corrupted> corrupted,
            List<Outside> outside) {
        static Measured of(ModelFile file, Metrics m, Extras probed) {
            return new Measured(
                    file.toString(),
                    file.origin().model(),
                    file.origin().dataset(),
                    m.count(),
                    m.accuracy(),
                    m.nll(),
                    m.ece(),
                    probed.corrupted().stream()
                            .filter(c -> c.strength() > 0)
                            .map(c -> new Corrupted(c.kind(), c.strength(), c.accuracy(), c.nll(), c.ece()))
                            .toList(),
                    probed.outside().stream()
                            .map(o -> new Outside(o.set(), o.auroc(), o.confidenceInside(), o.confidenceOutside()))
                            .toList());
        }

        /** The table's: images as they are, then corrupted ones. */
        Stream<Row> rows() {
            Row clean = new Row(file, model, dataset, samples, "none", 0, accuracy, nll, ece);
            return Stream.concat(
                    Stream.of(clean),
                    corrupted.stream()
                            .map(c -> new Row(
                                    file, model, dataset, samples, c.kind, c.strength, c.accuracy, c.nll, c.ece)));
        }
    }

    private record Corrupted(String kind, int strength, double accuracy, double nll, double ece) {}

    private record Outside(String set, double auroc, double confidenceInside, double confidenceOutside) {}

    private record Row(
            String file,
            String model,
            String dataset,
            long samples,
            String corruption,
            int strength,
            double accuracy,
            double nll,
            double ece) {}

    /** McNemar's exact test of two nets. */
    private record Pair(int onlyFirst, int onlySecond, double p) {
        static Pair of(Probabilities a, Probabilities b, int[] labels) {
            int onlyFirst = a.onlyHere(b, labels);
            int onlySecond = b.onlyHere(a, labels);
            return new Pair(onlyFirst, onlySecond, Statistics.mcNemar(onlyFirst, onlySecond));
        }
    }

    private void print(Measured m) {
        System.out.println(Format.of(
                "%s%s on %s: accuracy %.2f %%, NLL %.4f, ECE %.2f %%",
                files.size() > 1 ? m.file + ": " : "",
                m.model,
                OwnData.label(m.dataset),
                100 * m.accuracy,
                m.nll,
                100 * m.ece));
        for (Corrupted c : m.corrupted) {
            if (c.strength == 1) {
                System.out.print(Format.of("  %-6s accuracy %% at strengths 1 to %d:", c.kind, Corruption.STRENGTHS));
            }
            System.out.print(Format.of(" %.2f", 100 * c.accuracy));
            if (c.strength == Corruption.STRENGTHS) System.out.println();
        }
        for (Outside o : m.outside) {
            System.out.println(Format.of(
                    "  told from %s by confidence: AUROC %.2f %%, mean confidence %.2f %% on the test set, %.2f %% there",
                    o.set, 100 * o.auroc, 100 * o.confidenceInside, 100 * o.confidenceOutside));
        }
    }

    private static void print(Pair pair) {
        System.out.println(Format.of(
                "McNemar's exact test: %d samples only the first has right, %d only the second; p %s (small p: the two nets"
                        + " do not err equally often; large p: this test set cannot tell)",
                pair.onlyFirst, pair.onlySecond, pair.p < 1e-4 ? "< 0.0001" : "= " + Statistics.format(pair.p, 4)));
    }

    private static String picture(List<ModelFile> models, List<Probabilities> scored, int[] labels) {
        List<Extras.Reliability> all = new ArrayList<>();
        for (int i = 0; i < scored.size(); i++) {
            all.add(scored.get(i)
                    .reliability((i + 1) + ": " + models.get(i).file().getFileName(), labels));
        }
        Lines diagram = Charts.reliability(all, true);
        if (diagram == null) {
            throw new IllegalArgumentException(
                    "--reliability: the test part is too small to draw, no bin of confidence has enough samples");
        }
        return diagram.svg();
    }
}
