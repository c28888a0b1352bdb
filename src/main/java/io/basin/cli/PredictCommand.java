package io.basin.cli;

import io.basin.data.TrainTest;
import io.basin.device.Images;
import io.basin.device.PredictionSum;
import io.basin.ensemble.ModelFile;
import io.basin.io.FileKind;
import io.basin.io.Notices;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import io.basin.train.Splits;
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

    @Option(names = "--top", defaultValue = "3", description = "classes to print; default ${DEFAULT-VALUE}")
    private int top;

    @Option(names = "--vote", description = "name the class that most nets name, then the nets' mean probabilities")
    private boolean vote;

    @Mixin
    private Flags.LenientData on;

    @Override
    public void run() {
        if (top < 1) throw new IllegalArgumentException("--top must be at least 1, got " + top);
        if (!file.toString().endsWith(WEIGHTS) && FileKind.of(file).contains("picture")) {
            throw new IllegalArgumentException("FILE: " + file + " looks like " + FileKind.of(file)
                    + "; name the weights first, then the pictures");
        }
        List<ModelFile> models = new ArrayList<>(List.of(on.forgiven(ModelFile.of(file))));
        List<Path> images = new ArrayList<>();
        for (Path other : others) {
            if (other.toString().endsWith(WEIGHTS)) models.add(on.forgiven(ModelFile.of(other)));
            else images.add(other);
        }
        if (images.isEmpty()) {
            throw new IllegalArgumentException("IMAGE is missing: name a PNG picture or an IDX file of images");
        }
        if (vote && models.size() < 2) throw new IllegalArgumentException("--vote needs at least two nets");
        TrainTest data = on.data(models, new Bars().progress());
        if (top > data.test().classes()) {
            throw new IllegalArgumentException("--top " + top + " exceeds the "
                    + data.test().classes() + " classes of " + data.test().name());
        }
        Pictures pictures = Pictures.read(images, data.test());
        Polarity.warning(pictures, data.test()).ifPresent(Notices::once);
        on.with(models, data, splits -> {
            try (Images uploaded = pictures.set().upload(splits.device());
                    PredictionSum sum = splits.device().arenas().predictionSum(uploaded.count(), uploaded.outputs())) {
                for (ModelFile model : models) poll(splits, model, uploaded, 1.0 / models.size(), sum);
                print(pictures.names(), data.test().classNames(), sum);
            }
        });
    }

    private static void poll(Splits splits, ModelFile file, Images images, double weight, PredictionSum sum) {
        try (Model model = file.open(splits)) {
            Evaluator evaluator = model.on(images);
            evaluator.accumulate(file.into(model).weights(), weight, sum);
        }
    }

    private void print(List<String> images, List<String> classes, PredictionSum sum) {
        double[] p = sum.sums();
        int[] elected = vote ? sum.elected() : null;
        for (int i = 0; i < images.size(); i++) {
            StringBuilder line = new StringBuilder(images.get(i) + ":");
            if (elected != null)
                line.append("  by vote ").append(classes.get(elected[i])).append(", mean");
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
