package io.basin.cli;

import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.models.FileMean;
import io.basin.models.GreedySoup;
import io.basin.models.Stand;
import io.basin.models.StoredModel;
import io.basin.models.Venue;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Model soups: the mean of all, or of those that help on held-out data. */
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
        List<StoredModel> models = merge.models(files);
        Progress progress = new Bars().progress();
        if (kind.greedy) {
            greedy(models, progress);
            return;
        }
        FileMean mean = FileMean.of(files).requireWeights(models.get(0).origin().model());
        if (merge.keepStatistics || !mean.hasStatistics()) {
            mean.write(merge.out, MergeOptions.header(models, "soup"));
            System.out.printf(Locale.ROOT, "%s: uniform soup of %d models%n", merge.out, mean.count());
        } else {
            AverageCommand.refreshed(models, mean, merge, progress, "soup");
        }
    }

    private void greedy(List<StoredModel> models, Progress progress) {
        var data = models.get(0).data(merge.dataDir, progress);
        try (Device device = merge.open();
                Venue venue = new Venue(device, data, models);
                Stand stand = new Stand(venue, models.get(0).origin())) {
            GreedySoup soup = new GreedySoup(stand, merge.options(), !merge.keepStatistics, progress);
            GreedySoup.Result result = soup.choose(models);
            System.out.printf(
                    Locale.ROOT,
                    "Held out: %d samples%n",
                    venue.set(Venue.Part.VALIDATION).count());
            System.out.println("alone %  soup with it %  kept  file");
            for (GreedySoup.Trial t : result.trials()) {
                System.out.printf(
                        Locale.ROOT,
                        "%7.2f  %14.2f  %-4s  %s%n",
                        100 * t.alone(),
                        100 * t.accuracy(),
                        t.kept() ? "yes" : "no",
                        t.model());
            }
            stand.save(merge.out, MergeOptions.header(result.members(), "soup"));
            System.out.printf(
                    Locale.ROOT,
                    "%s: greedy soup of %d of %d models, held-out accuracy %.2f %%%n",
                    merge.out,
                    result.members().size(),
                    models.size(),
                    100 * result.accuracy());
        }
    }
}
