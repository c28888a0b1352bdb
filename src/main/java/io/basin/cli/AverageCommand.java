package io.basin.cli;

import io.basin.data.Progress;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.models.FileMean;
import io.basin.models.Stand;
import io.basin.models.StoredModel;
import io.basin.models.Venue;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** Averages the weights of files: what SWA does while training, done afterwards. */
@Command(
        name = "average",
        description = "Averages weights files of one net in float64 and measures the mean's batch-norm statistics.",
        footer = {
            "",
            "Examples:",
            "  basin average runs/a/seed-1/swa/member-*.safetensors --out swa.safetensors",
            "  basin average a.safetensors b.safetensors --out avg.safetensors --no-bn-update"
        })
final class AverageCommand implements Runnable {
    @Parameters(paramLabel = "FILE", arity = "1..*", description = "safetensors files of one net")
    private List<Path> files;

    @Mixin
    private MergeOptions merge;

    @Override
    public void run() {
        List<StoredModel> models = merge.models(files);
        FileMean mean = FileMean.of(files).requireWeights(models.get(0).origin().model());
        if (merge.keepStatistics || !mean.hasStatistics()) {
            mean.write(merge.out, MergeOptions.header(models, "average"));
            System.out.printf(Locale.ROOT, "%s: mean of %d models%n", merge.out, mean.count());
        } else {
            refreshed(models, mean, merge, new Bars().progress(), "average");
        }
    }

    private static String heldOut(Stand stand) {
        double accuracy =
                stand.on(Venue.Part.VALIDATION).evaluate(stand.weights()).accuracy();
        return String.format(Locale.ROOT, "; held-out accuracy %.2f %%", 100 * accuracy);
    }

    /** Measures the mean's statistics, writes it and says how it does on held-out data. */
    static void refreshed(
            List<StoredModel> models, FileMean mean, MergeOptions merge, Progress progress, String method) {
        TrainTest data = models.get(0).data(merge.dataDir, progress);
        Map<String, String> header = MergeOptions.header(models, method);
        try (Device device = merge.open();
                Venue venue = new Venue(device, data, models);
                Stand stand = new Stand(venue, models.get(0).origin())) {
            stand.load(mean).refresh(merge.options(), method + ": batch-norm statistics", progress);
            stand.save(merge.out, header);
            System.out.printf(
                    Locale.ROOT,
                    "%s: mean of %d models, batch-norm statistics of %d training samples%s%n",
                    merge.out,
                    mean.count(),
                    venue.set(Venue.Part.TRAIN).count(),
                    venue.holdsOut() ? heldOut(stand) : "");
        }
    }
}
