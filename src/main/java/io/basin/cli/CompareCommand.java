package io.basin.cli;

import io.basin.report.ResultTable;
import io.basin.report.Summary;
import java.util.List;
import java.util.stream.LongStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

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
final class CompareCommand implements Runnable, RunOptions.Trains {
    static final String METHODS = "sgd,swa,ema,snapshot,fge,independent";

    @Mixin
    private TrainingOptions training;

    @Mixin
    private RunOptions run;

    @Mixin
    private RunOptions.Executors executors;

    @Option(
            names = "--methods",
            split = ",",
            defaultValue = METHODS,
            completionCandidates = Known.Methods.class,
            description = "of ${COMPLETION-CANDIDATES}, or a MethodSettings class of your own")
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

    @Mixin
    private Results results;

    @Mixin
    private Recording recording;

    @Option(names = "--seed", defaultValue = "1", description = "the first seed")
    private long seed;

    @Override
    public void run() {
        Known.requireMethods("--methods", methods);
        recording.require(results, executors);
        probes.require();
        run.train(training, methods, "compare", "", executors, this::compare);
    }

    private void compare(RunOptions.Work work) {
        recording.of(work.folder());
        long[] all = LongStream.range(seed, seed + seeds).toArray();
        Configuration configuration = work.configuration()
                .growing("methods", methods)
                .growing("seeds", LongStream.of(all).boxed().toList());
        configuration.keep(work.folder());
        Summary summary =
                work.compare(all, flagged().options(work.splits(), work.bars().progress()), "", recording);
        ResultTable table = new ResultTable(summary, FlagNames::said);
        work.show(summary, table, results, recording, () -> {
            System.out.print(published.text(
                    training.settings().dataset(), training.settings().model()));
            if (allCombiners) System.out.print("\n" + table.textBeside());
            System.out.println();
            System.out.println(table.conclusion());
            table.claims().forEach(System.out::println);
        });
    }

    @Override
    public RunOptions.Flagged flagged() {
        return new RunOptions.Flagged(training, run, executors, probes);
    }
}
