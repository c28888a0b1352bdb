package io.basin.cli;

import io.basin.compare.Material;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.models.Stand;
import io.basin.models.StoredModel;
import io.basin.models.Venue;
import io.basin.train.Evaluator;
import java.nio.file.Path;
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
        description = "Classes with probabilities for images of the data set's size: PNG pictures and IDX files.",
        footer = {
            "",
            "Examples:",
            "  basin predict runs/swa/seed-1/swa/swa.safetensors shoe.png shirt.png",
            "  basin predict swa.safetensors t10k-images-idx3-ubyte.gz --top 1"
        })
final class PredictCommand implements Runnable {
    @Parameters(index = "0", paramLabel = "FILE", description = "safetensors file that train or compare wrote")
    private Path file;

    @Parameters(
            index = "1..*",
            arity = "1..*",
            paramLabel = "IMAGE",
            description = "PNG pictures, or IDX files of many images (gzip or not)")
    private List<Path> images;

    @Option(names = "--data-dir", description = "where the data set's files are")
    private Path dataDir;

    @Option(names = "--top", defaultValue = "3", description = "classes to print; default ${DEFAULT-VALUE}")
    private int top;

    @Mixin
    private DeviceOptions on;

    @Override
    public void run() {
        if (top < 1) throw new IllegalArgumentException("--top must be at least 1, got " + top);
        StoredModel model = StoredModel.of(file);
        TrainTest data = model.data(dataDir, new Bars().progress());
        Pictures pictures = Pictures.read(images, data.test());
        try (Device device = on.open();
                Venue venue = new Venue(device, data, List.of(model));
                Images uploaded = Material.upload(device, pictures.set());
                Stand stand = new Stand(venue, model.origin());
                Evaluator evaluator = stand.on(uploaded)) {
            List<String> classes = data.test().classNames();
            stand.load(file);
            evaluator.predict(List.of(stand.weights()), (member, first, rows, p) -> {
                for (int i = 0; i < rows; i++) print(pictures.names().get(first + i), classes, p, i * classes.size());
            });
        }
    }

    private void print(String image, List<String> classes, float[] p, int at) {
        StringBuilder line = new StringBuilder(image + ":");
        IntStream.range(0, classes.size())
                .boxed()
                .sorted((a, b) -> Float.compare(p[at + b], p[at + a]))
                .limit(top)
                .forEach(k -> line.append(String.format(Locale.ROOT, "  %s %.1f%%", classes.get(k), 100 * p[at + k])));
        System.out.println(line);
    }
}
