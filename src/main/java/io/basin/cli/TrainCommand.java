package io.basin.cli;

import io.basin.compare.Comparison;
import io.basin.device.Device;
import io.basin.methods.Method;
import io.basin.report.ExtrasPage;
import io.basin.report.ResultTable;
import io.basin.report.Summary;
import io.basin.text.Printable;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Trains one method: a comparison of one, with the same folder, checkpoints and figures. */
@Command(
        name = "train",
        description = "Trains one net with one method and keeps its weights.",
        footer = {
            "",
            "Examples:",
            "  basin train fashion-mnist --method swa --model small-cnn --epochs 5 --out runs/swa",
            "  basin train fashion-mnist --method swa --model small-cnn --epochs 5 --resume runs/swa"
        })
final class TrainCommand implements Runnable {
    @Mixin
    private TrainingOptions training;

    @Mixin
    private RunOptions run;

    @Option(
            names = "--method",
            defaultValue = "swa",
            description = "see 'basin compare --help'; default ${DEFAULT-VALUE}")
    private String method;

    @Option(names = "--seed", defaultValue = "1", description = "of the weights and of the order of samples")
    private long seed;

    @Override
    public void run() {
        Settings settings = training.settings();
        if (method.contains(",")) {
            throw new IllegalArgumentException("--method takes one method, got '" + Printable.of(method)
                    + "'; 'basin compare --methods " + Printable.of(method) + "' trains several");
        }
        TrainingOptions.requireKnown("--method", List.of(method));
        Bars bars = new Bars();
        try (Device device = run.output.open();
                Splits splits = Comparison.splits(device, training.load(bars.progress()), settings)) {
            List<Method> plan = training.plan(List.of(method), splits.stepsPerEpoch());
            TrainingOptions.remark(plan, System.err, "basin: note: ");
            try (Claim claim = run.output.claim(settings.dataset() + "-" + settings.model() + "-" + method)) {
                train(splits, settings, plan, bars, claim.folder());
            }
        }
    }

    private void train(Splits splits, Settings settings, List<Method> plan, Bars bars, Path folder) {
        long[] seeds = {seed};
        Configuration configuration = run.configuration("train", training, splits)
                .fixed("methods", List.of(method))
                .fixed("seeds", seeds);
        configuration.keep(folder);
        Summary summary = new Comparison(
                        splits, settings, training.net(splits), plan, seeds, folder, run.options(), bars)
                .run(method, Map.of());
        System.out.print(new ResultTable(summary).text());
        System.out.print(ExtrasPage.text(summary.evidence().and(configuration.mixture())));
        System.out.println("Weights: " + folder.resolve("seed-" + seed).resolve(method));
        SelfCheckException.throwIfAnyFailed(summary.evidence());
    }
}
