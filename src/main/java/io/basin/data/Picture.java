package io.basin.data;

import io.basin.device.Shape;
import io.basin.io.Disk;
import io.basin.io.FormatException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * A picture as a net takes it: upright, its middle cut to the net's proportions, scaled to the net's size.
 *
 * <p>Scaling is antialiased by a triangle filter that reaches one step of the smaller picture to each side, and at least one pixel
 * (the "bilinear" of PIL and of torchvision's resizing). Sums are doubles in one order, so the bytes are the same on every machine;
 * a picture of the net's own size keeps its bytes.
 */
public final class Picture {
    private static final int MOST_BYTES = 64 << 20;

    private Picture() {}

    /**
     * Reads a PNG, JPEG, GIF or BMP file.
     *
     * @param sample (channels, height, width) of the result: one channel, of which colours give their luminance, or three
     * @param strict whether a picture of another size is refused
     * @return (height, width, channels), 0 to 255
     */
    public static byte[] read(Path file, Shape sample, boolean strict) {
        String name = file.toString();
        PictureFile.Upright picture = new PictureFile(name, bytes(file)).decode(name);
        if (strict && (picture.width() != sample.dim(2) || picture.height() != sample.dim(1))) {
            throw new FormatException(
                    name,
                    "is " + picture.width() + " x " + picture.height() + ", the net needs " + sample.dim(2) + " x "
                            + sample.dim(1) + ": scale it, or leave `strictSize` out");
        }
        byte[] colours = scaled(picture, sample.dim(1), sample.dim(2));
        return sample.dim(0) == 1 ? luminance(colours) : colours;
    }

    private static byte[] bytes(Path file) {
        if (!Files.isRegularFile(file)) throw new FormatException(file.toString(), "is not a file");
        return Disk.reading(file, () -> {
            if (Files.size(file) <= MOST_BYTES) return Files.readAllBytes(file);
            throw new FormatException(
                    file.toString(), "has more than " + MOST_BYTES + " bytes: scale it down, or save it as JPEG");
        });
    }

    /** (n) of (n, 3), as ITU-R BT.601 weighs colours; equal channels keep their value. */
    static byte[] luminance(byte[] colours) {
        byte[] grey = new byte[colours.length / 3];
        for (int i = 0; i < grey.length; i++) {
            int red = colours[3 * i] & 255;
            int green = colours[3 * i + 1] & 255;
            int blue = colours[3 * i + 2] & 255;
            grey[i] = (byte) Math.round(0.299f * red + 0.587f * green + 0.114f * blue);
        }
        return grey;
    }

    /** (height, width, 3). */
    private static byte[] scaled(PictureFile.Upright picture, int height, int width) {
        double step = Math.min((double) picture.width() / width, (double) picture.height() / height);
        Filter columns = new Filter(picture.width(), width, step);
        Filter rows = new Filter(picture.height(), height, step);
        double[] sums = new double[3 * height * width];
        for (int y = rows.first(0); y <= rows.last(height - 1); y++) {
            double[] line = scaled(picture.row(y), columns, width);
            for (int i = 0; i < height; i++) {
                double weight = rows.weight(i, y);
                if (weight == 0) continue;
                for (int k = 0; k < line.length; k++) sums[i * line.length + k] += weight * line[k];
            }
        }
        byte[] bytes = new byte[sums.length];
        for (int i = 0; i < bytes.length; i++) bytes[i] = (byte) Math.max(0, Math.min(255, Math.round(sums[i])));
        return bytes;
    }

    /** (width, 3) of one row. */
    private static double[] scaled(int[] row, Filter columns, int width) {
        double[] line = new double[3 * width];
        for (int i = 0; i < width; i++) {
            for (int x = columns.first(i); x <= columns.last(i); x++) {
                double weight = columns.weight(i, x);
                line[3 * i] += weight * (row[x] >> 16 & 255);
                line[3 * i + 1] += weight * (row[x] >> 8 & 255);
                line[3 * i + 2] += weight * (row[x] & 255);
            }
        }
        return line;
    }

    /** The weights by which {@code from} pixels make {@code to} pixels, {@code step} apart. */
    private static final class Filter {
        private final int[] first;
        private final double[][] weights;

        Filter(int from, int to, double step) {
            first = new int[to];
            weights = new double[to][];
            double reach = Math.max(1, step);
            for (int i = 0; i < to; i++) {
                double centre = Math.floor((from - to * step) / 2) + (i + 0.5) * step;
                first[i] = (int) Math.max(0, Math.floor(centre - reach));
                weights[i] = new double[(int) Math.min(from, Math.floor(centre + reach) + 1) - first[i]];
                double sum = 0;
                for (int k = 0; k < weights[i].length; k++) {
                    weights[i][k] = Math.max(0, 1 - Math.abs(first[i] + k + 0.5 - centre) / reach);
                    sum += weights[i][k];
                }
                for (int k = 0; k < weights[i].length; k++) weights[i][k] /= sum;
            }
        }

        int first(int i) {
            return first[i];
        }

        int last(int i) {
            return first[i] + weights[i].length - 1;
        }

        double weight(int i, int at) {
            return at < first(i) || at > last(i) ? 0 : weights[i][at - first[i]];
        }
    }
}
