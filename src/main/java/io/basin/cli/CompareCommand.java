package io.basin.cli;

import io.basin.compare.Comparison;
import io.basin.compare.Material;
import io.basin.compare.Options;
import io.basin.device.Device;
import io.basin.io.Json;
import io.basin.report.EvidencePage;
import io.basin.report.HtmlReport;
import io.basin.report.ResultTable;
import io.basin.report.Summary;
import io.basin.train.Recipe;
import io.basin.train.Settings;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains several methods at one budget and prints what the test set says of each. */
@Command(
        name = "compare",
        description = "Trains every method at the same budget and compares them on the test set.",
        footer = {
            "",
            "Examples:",
            "  basin compare fashion-mnist",
            "  basin compare fashion-mnist --model small-cnn --epochs 5 --seeds 5",
            "  basin compare cifar10 --methods sgd,swa --out runs/mine",
            "  basin compare fashion-mnist --methods sgd,swa,swag --corruptions --ood mnist",
            "  basin compare fashion-mnist --resume runs/mine"
        })
final class CompareCommand implements Runnable {
    @Mixin
    private TrainingOptions training;

    @Mixin
    private RunOptions run;

    @Option(
            names = "--methods",
            split = ",",
            defaultValue = "sgd,swa,ema,snapshot,fge,independent",
            description = "sgd, ema, swa, swa-cyclic, lawa, tail, swag, swap, snapshot, fge, independent")
    private List<String> methods;

    @Option(names = "--seeds", defaultValue = "1", description = "how often everything is repeated")
    private int seeds;

    @Mixin
    private ProbeOptions probes;

    @Option(names = "--seed", defaultValue = "1", description = "the first seed")
    private long seed;

    @Override
    public void run() {
        Settings settings = training.settings();
        methods.forEach(m -> Recipe.known("--methods", m));
        Bars bars = new Bars();
        try (Device device = run.open();
                Material material = Comparison.material(device, training.load(bars.progress()), settings)) {
            long[] all = LongStream.range(seed, seed + seeds).toArray();
            // Planned before a folder is made: a flag at fault leaves nothing behind.
            List<String> remarks = Comparison.check(device, methods, settings, material);
            remarks.forEach(remark -> System.err.println("basin: note: " + remark));
            try (Claim claim = run.claim(settings.dataset() + "-" + settings.model())) {
                compare(device, material, all, remarks, bars, claim.folder());
            }
        }
    }

    private void compare(Device device, Material material, long[] all, List<String> remarks, Bars bars, Path folder) {
        Settings settings = material.settings();
        Map<String, String> facts = facts(device, material, settings);
        if (!remarks.isEmpty()) facts.put("notes", String.join("; ", remarks));
        Configuration configuration = run.configuration("compare", material, device)
                .growing("methods", methods)
                .growing("seeds", LongStream.of(all).boxed().toList());
        configuration.keep(folder);
        facts.put("device", configuration.mixed());
        Options options = probes.add(run.options(), material.testSet(), bars.progress());
        Summary summary = new Comparison(device, material, methods, all, folder, options, bars)
                .run(settings.dataset() + ", " + settings.model(), facts);
        show(folder, summary.and(configuration.mixture()));
    }

    private Map<String, String> facts(Device device, Material material, Settings s) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "data",
                s.dataset() + ": " + material.trainSet().count() + " training, "
                        + material.validationSet().count() + " validation, "
                        + material.testSet().count() + " test samples");
        facts.put("net", s.model() + ", " + s.precision());
        facts.put("budget", s.epochs() + " epochs for each method, batches of " + s.batch());
        facts.put("seeds", Integer.toString(seeds));
        facts.put("device", device.describe());
        facts.put("settings", s.toString());
        return facts;
    }

    private static void show(Path folder, Summary summary) {
        ResultTable table = new ResultTable(summary);
        Json.write(folder.resolve("results.json"), summary);
        System.out.println(summary.title() + ": " + summary.facts().get("budget") + ", on the test set");
        System.out.println();
        System.out.print(table.text());
        System.out.println();
        System.out.println(table.conclusion());
        System.out.print(EvidencePage.text(summary.evidence()));
        HtmlReport.write(folder.resolve("report.html"), summary, table.conclusion(), table.html());
        System.out.println("Report: " + folder.resolve("report.html"));
        SelfCheckException.throwIfAnyFailed(summary.evidence());
    }
}
