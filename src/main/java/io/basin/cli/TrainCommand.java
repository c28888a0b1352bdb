package io.basin.cli;

import io.basin.report.ResultTable;
import io.basin.report.Summary;
import io.basin.text.Printable;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "train",
        description = "Trains one net with one method and keeps its weights.",
        footer = {
            "",
            "Examples:",
            "  basin train fashion-mnist --method swa --model small-cnn --epochs 5 --out runs/swa",
            "  basin train --resume runs/swa"
        })
final class TrainCommand implements Runnable, RunOptions.Trains {
    @Mixin
    private TrainingOptions training;

    @Mixin
    private RunOptions run;

    @Mixin
    private RunOptions.Executors executors;

    @Option(
            names = "--method",
            defaultValue = "swa",
            completionCandidates = Known.Methods.class,
            description = "one of ${COMPLETION-CANDIDATES}, or a MethodSettings class of your own")
    private String method;

    @Option(names = "--seed", defaultValue = "1", description = "of the weights and of the order of samples")
    private long seed;

    @Mixin
    private Results results;

    @Mixin
    private Recording recording;

    @Override
    public void run() {
        if (method.contains(",")) {
            throw new IllegalArgumentException("--method takes one method, got '" + Printable.of(method)
                    + "'; 'basin compare --methods " + Printable.of(method) + "' trains several");
        }
        Known.requireMethods("--method", List.of(method));
        recording.require(results, executors);
        run.train(training, List.of(method), "train", "-" + method, executors, this::train);
    }

    private void train(RunOptions.Work work) {
        recording.of(work.folder());
        long[] seeds = {seed};
        Configuration configuration =
                work.configuration().fixed("methods", List.of(method)).fixed("seeds", seeds);
        configuration.keep(work.folder());
        Summary summary = work.compare(seeds, run.options(), ": " + method, recording);
        work.show(summary, new ResultTable(summary, FlagNames::said), results, recording, () -> {
            Path folder = work.folder().resolve("seed-" + seed).resolve(method);
            Path weights = folder.resolve(method + ".safetensors");
            System.out.println("\nWeights: " + (Files.exists(weights) ? weights : folder));
        });
    }

    @Override
    public RunOptions.Flagged flagged() {
        return new RunOptions.Flagged(training, run, executors, null);
    }
}
