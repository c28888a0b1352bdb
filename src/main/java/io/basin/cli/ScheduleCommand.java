package io.basin.cli;

import io.basin.compare.Comparison;
import io.basin.io.AtomicFile;
import io.basin.methods.Method;
import io.basin.report.Charts;
import io.basin.report.Summary;
import io.basin.text.Format;
import io.basin.train.Settings;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** Shows what a run will do before it does it. */
@Command(
        name = "schedule",
        description = "Prints and plots the learning rate and the averaging weight of planned runs; trains nothing.",
        footer = {
            "",
            "Examples:",
            "  basin schedule fashion-mnist --methods swa,fge",
            "  basin schedule cifar10 --epochs 150 --csv plan.csv --svg plan.svg"
        })
final class ScheduleCommand implements Runnable {
    @Mixin
    private TrainingOptions training;

    @Option(
            names = "--methods",
            split = ",",
            defaultValue = CompareCommand.METHODS,
            completionCandidates = Known.Methods.class,
            description = "of ${COMPLETION-CANDIDATES}, or a MethodSettings class of your own")
    private List<String> methods;

    @Option(
            names = {"--dataset-samples", "--samples"},
            description = "size of the training set before --validation; default the data set's own")
    private Integer samples;

    @Option(names = "--csv", description = "writes method,step,epoch,lr,alpha,collected")
    private Path csv;

    @Option(names = "--svg", description = "writes a picture")
    private Path svg;

    @Override
    public void run() {
        Settings s = training.settings();
        int count = samples != null ? samples : training.from.samples();
        Settings.Data d = s.data();
        int left = count - d.validation();
        if (d.trainSamples() > left) {
            throw new IllegalArgumentException("--train-samples: " + d.trainSamples() + " are more than the " + left
                    + " that --validation " + d.validation() + " leaves of " + count + "; ask for fewer, or 0 for all");
        }
        int train = d.trainSamples() > 0 ? d.trainSamples() : left;
        if (train < d.batch()) {
            throw new IllegalArgumentException("--batch-size " + d.batch() + " exceeds the " + train
                    + " training samples that --dataset-samples, --validation and --train-samples leave");
        }
        Known.requireMethods("--methods", methods);
        int perEpoch = train / d.batch();
        List<Method> plans = training.plan(methods, perEpoch);
        List<Summary.Plotted> plotted = Comparison.plotted(plans, perEpoch);
        for (Method r : plans) {
            System.out.println(Format.of(
                    "%-12s %s%d run(s) of %d steps (%d an epoch), %d models collected in each%s%s, lr %.4g to %.4g",
                    r.name(),
                    r.trunk() == null ? "" : r.trunk().steps() + " steps, then ",
                    r.runs(),
                    r.schedule().steps(),
                    perEpoch,
                    r.schedule().collections().length,
                    last(r),
                    pulled(r),
                    r.path().lr(0),
                    r.schedule().lr(r.schedule().steps() - 1)));
        }
        training.remark(plans, perEpoch, System.out::println);
        System.out.println();
        System.out.print(Charts.text(plotted));
        if (csv != null) AtomicFile.write(csv, table(plotted));
        Outputs.picture(svg, () -> Charts.learningRates(plotted).svg());
    }

    private static String last(Method r) {
        int[] collected = r.schedule().collections();
        if (collected.length == 0) return "";
        int last = collected[collected.length - 1];
        return last == r.schedule().steps() - 1 ? ", the last at its end" : ", the last after step " + last;
    }

    private static String pulled(Method r) {
        long steps =
                Arrays.stream(r.averaging().pull()).filter(pull -> pull != 0).count();
        return steps == 0 ? "" : ", " + steps + " times on from the average";
    }

    private static String table(List<Summary.Plotted> plotted) {
        StringBuilder out = new StringBuilder("method,step,epoch,lr,alpha,collected\n");
        for (Summary.Plotted p : plotted) {
            for (int i = 0; i < p.lr().length; i++) {
                double epoch = (double) i / p.stepsPerEpoch();
                int collected = Arrays.binarySearch(p.collections(), i) >= 0 ? 1 : 0;
                out.append(p.method() + "," + i + "," + epoch + "," + p.lr()[i] + "," + p.alpha()[i] + "," + collected
                        + "\n");
            }
        }
        return out.toString();
    }
}
