package io.basin.cli;

import io.basin.compare.Probes;
import io.basin.compare.Scored;
import io.basin.data.Corruption;
import io.basin.data.ImageSet;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.models.Stand;
import io.basin.models.StoredModel;
import io.basin.models.Venue;
import io.basin.report.Evidence;
import io.basin.report.EvidencePage;
import io.basin.report.Lines;
import io.basin.report.Statistics;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Measures weights files, and tests two of them against each other. */
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
            "  basin evaluate swa.safetensors --corruptions --ood noise --reliability swa.svg"
        })
final class EvaluateCommand implements Runnable {
    @Parameters(paramLabel = "FILE", arity = "1..*", description = "safetensors files that train or compare wrote")
    private List<Path> files;

    @Option(names = "--data-dir", description = "where the data set's files are")
    private Path dataDir;

    @Mixin
    private DeviceOptions on;

    @Mixin
    private LenienceOptions lenience;

    @Mixin
    private ProbeOptions probes;

    @Option(names = "--reliability", paramLabel = "SVG", description = "draws confidence against accuracy")
    private Path reliability;

    @Override
    public void run() {
        Outputs.require("--reliability", reliability);
        List<StoredModel> models = files.stream().map(StoredModel::of).toList();
        TrainTest data = models.get(0).data(dataDir, new Bars().progress());
        List<Scored> scored = new ArrayList<>();
        ImageSet outside = probes.outside(data.test(), new Bars().progress());
        try (Device device = on.open();
                Venue venue = new Venue(device, data, models, lenience.lenience())) {
            LenienceOptions.say(models, data);
            for (StoredModel model : models) {
                try (Stand stand = new Stand(venue, model.origin()).load(model.file())) {
                    scored.add(Scored.of(stand.on(Venue.Part.TEST), stand.weights(), data.test()));
                    print(model, scored.get(scored.size() - 1));
                    if (probes.corruptions) corrupted(stand, data.test());
                    if (outside != null) outside(stand, data.test(), outside);
                }
            }
        }
        if (scored.size() == 2) test(scored.get(0), scored.get(1));
        Outputs.picture(reliability, () -> picture(models, scored));
    }

    private static void corrupted(Stand stand, ImageSet test) {
        for (Corruption c : Corruption.values()) {
            System.out.printf(Locale.ROOT, "  %-6s accuracy %% at strengths 1 to %d:", c.label(), Corruption.STRENGTHS);
            for (int strength = 1; strength <= Corruption.STRENGTHS; strength++) {
                ImageSet set = c.apply(test, strength, Probes.SEED);
                double accuracy = stand.elsewhere(set).metrics(set.labels()).accuracy();
                System.out.printf(Locale.ROOT, " %.2f", 100 * accuracy);
            }
            System.out.println();
        }
    }

    private static void outside(Stand stand, ImageSet test, ImageSet other) {
        double[] inside = stand.elsewhere(test).confidences();
        double[] outside = stand.elsewhere(other).confidences();
        System.out.printf(
                Locale.ROOT,
                "  told from %s by confidence: AUROC %.2f %%, mean confidence %.2f %% on the test set, %.2f %% there%n",
                other.name(),
                100 * Statistics.auroc(inside, outside),
                100 * Statistics.mean(inside),
                100 * Statistics.mean(outside));
    }

    private static String picture(List<StoredModel> models, List<Scored> scored) {
        List<Evidence.Reliability> all = new ArrayList<>();
        for (int i = 0; i < scored.size(); i++) {
            all.add(scored.get(i)
                    .reliability((i + 1) + ": " + models.get(i).file().getFileName()));
        }
        Lines diagram = EvidencePage.reliabilityDiagram(all);
        if (diagram == null) {
            throw new IllegalArgumentException(
                    "--reliability: the test part is too small to draw, no bin of confidence has enough samples");
        }
        return diagram.svg();
    }

    private void print(StoredModel model, Scored scored) {
        System.out.printf(
                Locale.ROOT,
                "%s%s on %s: accuracy %.2f %%, NLL %.4f, ECE %.2f %%%n",
                files.size() > 1 ? model + ": " : "",
                model.origin().model(),
                model.origin().dataset(),
                100 * scored.metrics().accuracy(),
                scored.metrics().nll(),
                100 * scored.metrics().ece());
    }

    private static void test(Scored a, Scored b) {
        int onlyFirst = a.onlyHere(b);
        int onlySecond = b.onlyHere(a);
        double p = Statistics.mcNemar(onlyFirst, onlySecond);
        System.out.printf(
                Locale.ROOT,
                "McNemar's exact test: %d samples only the first has right, %d only the second; p %s (small p: the two nets"
                        + " do not err equally often; large p: this test set cannot tell)%n",
                onlyFirst,
                onlySecond,
                p < 1e-4 ? "< 0.0001" : "= " + Statistics.format(p, 4));
    }
}
