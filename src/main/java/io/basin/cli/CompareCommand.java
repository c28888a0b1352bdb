package io.basin.cli;

import io.basin.compare.Options;
import io.basin.io.Json;
import io.basin.report.HtmlReport;
import io.basin.report.ResultTable;
import io.basin.report.Summary;
import io.basin.train.Settings;
import io.basin.train.Splits;
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
            "  basin compare --resume runs/mine"
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

    @Option(
            names = "--all-combiners",
            description =
                    "show votes, ridge stacking and what the methods are held against too; the report always does")
    private boolean allCombiners;

    @Mixin
    private Published published;

    @Mixin
    private Flags.Probes probes;

    @Option(names = "--seed", defaultValue = "1", description = "the first seed")
    private long seed;

    @Override
    public void run() {
        TrainingOptions.requireKnown("--methods", methods);
        run.train(training, methods, "compare", "", this::compare);
    }

    private void compare(RunOptions.Work work) {
        long[] all = LongStream.range(seed, seed + seeds).toArray();
        Configuration configuration = work.configuration()
                .growing("methods", methods)
                .growing("seeds", LongStream.of(all).boxed().toList());
        configuration.keep(work.folder());
        Settings settings = training.settings();
        Map<String, String> facts = facts(work.splits(), settings, configuration.mixed());
        if (!work.remarks().isEmpty()) facts.put("notes", String.join("; ", work.remarks()));
        Options options =
                probes.add(run.options(), work.splits().testSet(), work.bars().progress());
        Summary summary = work.compare(all, options, settings.dataset() + ", " + settings.model(), facts);
        show(work.folder(), summary.and(configuration.mixture()), training.measuredOn());
    }

    private Map<String, String> facts(Splits splits, Settings s, String devices) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "data",
                s.dataset() + ": " + splits.trainSet().count() + " training, "
                        + s.data().validation() + " validation, "
                        + splits.testSet().count() + " test samples"
                        + (training.tune ? " of " + training.measuredOn() : ""));
        facts.put("net", s.model() + ", " + s.precision().on(splits.device()));
        facts.put(
                "budget",
                training.budget().epochs() + " epochs for each method, batches of "
                        + s.data().batch());
        facts.put("seeds", Integer.toString(seeds));
        facts.put("device", devices);
        facts.put(
                "settings",
                s.identity() + ", " + training.budget() + ", "
                        + training.methods().all());
        return facts;
    }

    private void show(Path folder, Summary summary, String on) {
        ResultTable table = new ResultTable(summary);
        Json.write(folder.resolve("results.json"), summary);
        System.out.println(summary.title() + ": " + summary.facts().get("budget") + ", on " + on);
        System.out.println();
        System.out.print(table.text());
        System.out.print(published.text(
                training.settings().dataset(), training.settings().model()));
        if (allCombiners) System.out.print("\n" + table.textBeside());
        System.out.println();
        System.out.println(table.conclusion());
        table.claims().forEach(System.out::println);
        System.out.print(HtmlReport.text(summary.evidence()));
        HtmlReport.write(folder.resolve("report.html"), summary, table);
        System.out.println("Report: " + folder.resolve("report.html"));
        Complaint.SelfCheckException.throwIfAnyFailed(summary.evidence());
    }
}
