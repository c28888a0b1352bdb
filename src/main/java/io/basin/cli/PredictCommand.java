package io.basin.cli;

import io.basin.data.ImageSet;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.io.FormatException;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import javax.imageio.ImageIO;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Names what is on pictures. */
@Command(
        name = "predict",
        description = "Classes with probabilities for PNG images of the data set's size.",
        footer = {"", "Example:  basin predict runs/swa/seed-1/swa/swa.safetensors shoe.png shirt.png"})
final class PredictCommand implements Runnable {
    @Parameters(index = "0", paramLabel = "FILE", description = "safetensors file that train or compare wrote")
    private Path file;

    @Parameters(index = "1..*", arity = "1..*", paramLabel = "IMAGE", description = "PNG files")
    private List<Path> images;

    @Option(names = "--data-dir", description = "where the data set's files are")
    private Path dataDir;

    @Option(names = "--top", defaultValue = "3", description = "classes to print; default ${DEFAULT-VALUE}")
    private int top;

    @Override
    public void run() {
        Model model = Model.of(file);
        TrainTest data = model.data(dataDir);
        ImageSet like = data.test();
        byte[] pixels = new byte[images.size() * like.imageBytes()];
        for (int i = 0; i < images.size(); i++) read(images.get(i), like, pixels, i * like.imageBytes());
        ImageSet set = new ImageSet(
                "images",
                pixels,
                new int[images.size()],
                like.height(),
                like.width(),
                like.channels(),
                like.classNames());
        try (Device device = Devices.open("auto", 0)) {
            model.run(device, set, (member, first, rows, p) -> {
                for (int i = 0; i < rows; i++) print(images.get(first + i), like.classNames(), p, i * like.classes());
            });
        }
    }

    private void print(Path image, List<String> names, float[] p, int at) {
        StringBuilder line = new StringBuilder(image + ":");
        java.util.stream.IntStream.range(0, names.size())
                .boxed()
                .sorted((a, b) -> Float.compare(p[at + b], p[at + a]))
                .limit(top)
                .forEach(k -> line.append(String.format(Locale.ROOT, "  %s %.1f%%", names.get(k), 100 * p[at + k])));
        System.out.println(line);
    }

    private static void read(Path path, ImageSet like, byte[] pixels, int at) {
        BufferedImage image;
        try {
            image = ImageIO.read(path.toFile());
        } catch (IOException e) {
            throw new UncheckedIOException(path + ": cannot be read (" + e.getMessage() + ")", e);
        }
        if (image == null) throw new FormatException(path.toString(), "is no image that can be decoded; PNG is");
        if (image.getWidth() != like.width() || image.getHeight() != like.height()) {
            throw new FormatException(
                    path.toString(),
                    "is " + image.getWidth() + " x " + image.getHeight() + ", the net needs " + like.width() + " x "
                            + like.height());
        }
        int i = at;
        for (int y = 0; y < like.height(); y++) {
            for (int x = 0; x < like.width(); x++) {
                int rgb = image.getRGB(x, y);
                int[] channel = {rgb >> 16 & 255, rgb >> 8 & 255, rgb & 255};
                if (like.channels() == 1) {
                    pixels[i++] = (byte) Math.round(0.299f * channel[0] + 0.587f * channel[1] + 0.114f * channel[2]);
                } else {
                    for (int c = 0; c < 3; c++) pixels[i++] = (byte) channel[c];
                }
            }
        }
    }
}
