package io.basin.cli;

import io.basin.data.OwnData;
import io.basin.landscape.LandscapeReport;
import io.basin.landscape.Stability;
import io.basin.landscape.StabilityReport;
import io.basin.methods.Method;
import io.basin.text.Format;
import io.basin.train.Splits;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

@Command(
        name = "stability",
        description = {
            "From checkpoints of one SGD run trains two children each, with other orders of samples, and measures the error barrier"
                    + " between them on held-out samples (Frankle et al. 2020). Where there is none, averaging is safe:"
                    + " recommends a --swa-start.",
            "Takes about k + 2 budgets of training for k checkpoints; the plan is printed first."
        },
        footer = {
            "",
            "Examples:",
            "  basin stability fashion-mnist --model lenet-bn --train-samples 10000 --epochs 10",
            "  basin stability cifar10 --checkpoints 5 --points 7 --out runs/stability",
            "  basin stability --resume runs/stability"
        })
final class StabilityCommand implements Runnable {
    @Mixin
    private TrainingOptions training;

    @Mixin
    private RunOptions run;

    @Option(
            names = "--checkpoints",
            defaultValue = "8",
            description = "at equal distances over the budget, from the first weights on")
    private int checkpoints;

    @Option(names = "--points", defaultValue = "9", description = "that are measured on each line, its ends included")
    private int points;

    @Option(names = "--seed", defaultValue = "1", description = "of first weights and orders")
    private long seed;

    @Override
    public void run() {
        if (training.settings().data().validation() == 0) {
            throw new IllegalArgumentException(
                    "--validation 0 holds nothing out, and the barrier, by which --swa-start is chosen, is measured on held-out"
                            + " samples: hold some out");
        }
        training.spent.requireFirstWeights("the checkpoints are those of a run");
        run.train(training, List.of("sgd"), "stability", "-stability", new RunOptions.Executors(), this::measure);
    }

    private void measure(RunOptions.Work work) {
        Splits splits = work.splits();
        Method sgd = work.plan().get(0);
        Stability.Config config = new Stability.Config(
                sgd, checkpoints, points, seed, run.options().update());
        work.configuration()
                .fixed("checkpoints", checkpoints)
                .fixed("points", points)
                .fixed("seed", seed)
                .keep(work.folder());
        double epochs = (double) config.trained() / splits.stepsPerEpoch();
        System.err.println(Format.of(
                "1 run, %d checkpoints, %d children: %.0f epochs in all, %.1f budgets; into %s",
                checkpoints,
                2 * checkpoints,
                epochs,
                (double) config.trained() / sgd.schedule().steps(),
                work.folder()));
        List<Stability.Line> lines = new Stability(
                        splits,
                        training.settings(),
                        training.net(splits),
                        config,
                        work.folder(),
                        work.bars().progress())
                .run();
        int warm = (int) Math.round(training.budget().warmUp() * splits.stepsPerEpoch());
        LandscapeReport report = StabilityReport.of(
                lines, sgd.schedule().steps(), warm, splits.validationSet().count(), facts(work), FlagNames::said);
        report.write(work.folder(), System.out, HowMade.of(work.configuration(), work.folder()));
    }

    private Map<String, String> facts(RunOptions.Work work) {
        Map<String, String> facts = new LinkedHashMap<>();
        facts.put(
                "net",
                training.settings().model() + " on "
                        + OwnData.label(training.settings().dataset()));
        facts.put("training", training.settings().identity() + ", " + training.budget());
        facts.put(
                "measured",
                points + " points on each line; error on "
                        + work.splits().validationSet().count()
                        + " held-out samples, batch-norm statistics and training loss on at most " + Splits.GLANCE
                        + " training samples");
        facts.put("device", work.configuration().mixed());
        return facts;
    }
}
