package io.basin.cli;

import io.basin.data.Progress;
import io.basin.ensemble.FileMean;
import io.basin.ensemble.GreedySoup;
import io.basin.ensemble.ModelFile;
import io.basin.text.Format;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

@Command(
        name = "soup",
        description = "Averages weights files that share an initialisation: all of them, or greedily those that help.",
        footer = {
            "",
            "Greedy: the best on held-out data first, one more only if held-out accuracy does not drop. Held out are the"
                    + " validation samples; the test set takes no part.",
            "",
            "Examples:",
            "  basin soup --uniform a.safetensors b.safetensors --out soup.safetensors",
            "  basin soup --greedy runs/a/seed-1/fge/member-*.safetensors --out soup.safetensors"
        })
final class SoupCommand implements Runnable {
    /** Averages the weights of files, as SWA does while training. */
    @Command(
            name = "average",
            description = "Averages weights files of one net in float64 and measures the mean's batch-norm statistics.",
            footer = {
                "",
                "Examples:",
                "  basin average runs/a/seed-1/swa/member-*.safetensors --out swa.safetensors",
                "  basin average a.safetensors b.safetensors --out avg.safetensors --no-bn-update",
                "  basin average --weights 0.5,0.7,-0.2 a.safetensors b.safetensors c.safetensors --out mix.safetensors"
            })
    static final class Average implements Runnable {
        @Parameters(paramLabel = "FILE", arity = "1..*", description = "safetensors files of one net")
        private List<Path> files;

        @Mixin
        private MergeOptions merge;

        @Option(
                names = "--weights",
                split = ",",
                description =
                        "how much each file counts, in their order, such as 0.5,0.7,-0.2; negative ones lead beyond the files."
                                + " They are divided by their sum; default: all count alike")
        private List<Double> weights;

        @Option(names = "--unnormalised", description = "take --weights as they are, whatever they sum to")
        private boolean unnormalised;

        @Override
        public void run() {
            if (weights == null && !unnormalised) {
                merge.mean(files, "average");
                return;
            }
            if (weights == null) {
                throw new IllegalArgumentException("--unnormalised takes --weights as they are: name them");
            }
            boolean beyond = unnormalised || weights.stream().anyMatch(w -> w < 0);
            if (beyond && merge.keepStatistics) {
                throw new IllegalArgumentException(
                        "--no-bn-update: batch-norm statistics have no sum with negative weights, nor"
                                + " one that is not divided; leave it out, and they are measured");
            }
            double[] given = weights.stream().mapToDouble(w -> w).toArray();
            merge.mean(files, "average", f -> unnormalised ? FileMean.sum(f, given) : FileMean.of(f, given), beyond);
        }
    }

    /** One of them must be named. */
    static final class Kind {
        @Option(names = "--uniform", required = true, description = "all files count alike")
        boolean uniform;

        @Option(names = "--greedy", required = true, description = "only files that do not lower held-out accuracy")
        boolean greedy;
    }

    @ArgGroup(multiplicity = "1")
    private Kind kind;

    @Parameters(paramLabel = "FILE", arity = "1..*", description = "safetensors files of one net")
    private List<Path> files;

    @Mixin
    private MergeOptions merge;

    @Override
    public void run() {
        if (!kind.greedy) {
            merge.mean(files, "soup");
            return;
        }
        List<ModelFile> models = merge.models(files);
        Progress progress = new Bars().progress();
        merge.at(models, progress, (splits, model) -> greedy(models, splits, model, progress));
    }

    private void greedy(List<ModelFile> models, Splits splits, Model model, Progress progress) {
        BatchNormUpdate update = merge.keepStatistics ? null : merge.update();
        GreedySoup.MethodScore result = new GreedySoup(model, splits, update, progress).choose(models);
        System.out.println(
                Format.of("Held out: %d samples", splits.validationSet().count()));
        System.out.println("alone %  soup with it %  kept  file");
        for (GreedySoup.Trial t : result.trials()) {
            System.out.println(Format.of(
                    "%7.2f  %14.2f  %-4s  %s",
                    100 * t.alone(), 100 * t.accuracy(), t.kept() ? "yes" : "no", t.model()));
        }
        Checkpoint.saveModel(merge.out, model, model.weights(), MergeOptions.header(result.members(), "soup"));
        System.out.println(Format.of(
                "%s: greedy soup of %d of %d models, held-out accuracy %.2f %%",
                merge.out, result.members().size(), models.size(), 100 * result.accuracy()));
    }
}
