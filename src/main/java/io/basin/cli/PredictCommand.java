package io.basin.cli;

import io.basin.compare.Material;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Tally;
import io.basin.io.FileKind;
import io.basin.models.Stand;
import io.basin.models.StoredModel;
import io.basin.models.Venue;
import io.basin.train.Evaluator;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.stream.IntStream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Names what is on pictures. */
@Command(
        name = "predict",
        description =
                "Classes with probabilities for images of the data set's size: PNG, JPEG, GIF or BMP pictures and IDX files.",
        footer = {
            "",
            "Several nets, of whatever kinds but of one data set, answer together: with the mean of their probabilities,"
                    + " or with --vote by majority.",
            "",
            "Examples:",
            "  basin predict runs/swa/seed-1/swa/swa.safetensors shoe.png shirt.png",
            "  basin predict swa.safetensors t10k-images-idx3-ubyte.gz --top 1",
            "  basin predict a.safetensors b.safetensors c.safetensors shoe.png --vote"
        })
final class PredictCommand implements Runnable {
    private static final String WEIGHTS = ".safetensors";

    @Parameters(index = "0", paramLabel = "FILE", description = "safetensors file that train or compare wrote")
    private Path file;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "FILE|IMAGE",
            description =
                    "more safetensors files; then pictures (PNG, JPEG, GIF, BMP), or IDX files of many images (gzip or not)")
    private List<Path> others;

    @Option(names = "--data-dir", description = "where the data set's files are")
    private Path dataDir;

    @Option(names = "--top", defaultValue = "3", description = "classes to print; default ${DEFAULT-VALUE}")
    private int top;

    @Option(names = "--vote", description = "name the class that most nets name, then the nets' mean probabilities")
    private boolean vote;

    @Mixin
    private DeviceOptions on;

    @Mixin
    private LenienceOptions lenience;

    @Override
    public void run() {
        if (top < 1) throw new IllegalArgumentException("--top must be at least 1, got " + top);
        if (!file.toString().endsWith(WEIGHTS) && FileKind.of(file).contains("picture")) {
            throw new IllegalArgumentException("FILE: " + file + " looks like " + FileKind.of(file)
                    + "; name the weights first, then the pictures");
        }
        List<StoredModel> models = new ArrayList<>(List.of(StoredModel.of(file)));
        List<Path> images = new ArrayList<>();
        for (Path other : others) {
            if (other.toString().endsWith(WEIGHTS)) models.add(StoredModel.of(other));
            else images.add(other);
        }
        if (images.isEmpty()) {
            throw new IllegalArgumentException("IMAGE is missing: name a PNG picture or an IDX file of images");
        }
        if (vote && models.size() < 2) throw new IllegalArgumentException("--vote needs at least two nets");
        TrainTest data = models.get(0).data(dataDir, new Bars().progress());
        if (top > data.test().classes()) {
            throw new IllegalArgumentException("--top " + top + " exceeds the "
                    + data.test().classes() + " classes of " + data.test().name());
        }
        Pictures pictures = Pictures.read(images, data.test());
        Polarity.warning(pictures, data.test()).ifPresent(w -> System.err.println("basin: warning: " + w));
        try (Device device = on.open();
                Venue venue = new Venue(device, data, models, lenience.lenience());
                Images uploaded = Material.upload(device, pictures.set());
                Tally tally = device.tally(uploaded.count(), uploaded.classes())) {
            for (StoredModel model : models) poll(venue, model, uploaded, 1.0 / models.size(), tally);
            print(pictures.names(), data.test().classNames(), tally);
        }
    }

    private static void poll(Venue venue, StoredModel model, Images images, double weight, Tally tally) {
        try (Stand stand = new Stand(venue, model.origin());
                Evaluator evaluator = stand.on(images)) {
            stand.load(model.file());
            evaluator.poll(stand.weights(), weight, tally);
        }
    }

    private void print(List<String> images, List<String> classes, Tally tally) {
        double[] p = tally.sums();
        int[] elected = vote ? tally.elected() : null;
        for (int i = 0; i < images.size(); i++) {
            StringBuilder line = new StringBuilder(images.get(i) + ":");
            if (vote) line.append("  by vote ").append(classes.get(elected[i])).append(", mean");
            int at = i * classes.size();
            IntStream.range(0, classes.size())
                    .boxed()
                    .sorted((a, b) -> Double.compare(p[at + b], p[at + a]))
                    .limit(top)
                    .forEach(k ->
                            line.append(String.format(Locale.ROOT, "  %s %.1f%%", classes.get(k), 100 * p[at + k])));
            System.out.println(line);
        }
    }
}
