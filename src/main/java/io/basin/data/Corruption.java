package io.basin.data;

import io.basin.random.Normals;
import io.basin.random.Philox;
import io.basin.random.Streams;
import java.util.Locale;

/**
 * Corruptions of images, each at five strengths, to test a net beyond its test set.
 *
 * <p>A pure function of image, strength and seed, with its own random stream, so every method and every device sees the same images.
 * An image draws the same noise and the same direction at every strength: a stronger corruption is more of the same. Pixels past
 * the edge repeat it for the blur and are 0 for the shift, as for a training crop.
 */
public enum Corruption {
    /** Normal noise of standard deviation 0.08, 0.12, 0.18, 0.26, 0.38 (Hendrycks and Dietterich 2019, ImageNet-C). */
    NOISE {
        @Override
        void image(byte[] in, byte[] out, int index, int strength, Dataset like, long seed) {
            double[] z = new double[in.length];
            Normals.fill(z, index, ordinal(), Streams.CORRUPTION, seed);
            for (int i = 0; i < in.length; i++) out[i] = pixel((in[i] & 255) + 255 * SIGMA[strength - 1] * z[i]);
        }
    },
    /** Gaussian blur of standard deviation 0.5, 0.75, 1, 1.5, 2 pixels, cut off at 3 of them. */
    BLUR {
        @Override
        void image(byte[] in, byte[] out, int index, int strength, Dataset like, long seed) {
            double[] kernel = kernel(WIDTH[strength - 1]);
            int h = like.height();
            int w = like.width();
            int c = like.channels();
            double[] rows = new double[in.length];
            for (int i = 0; i < in.length; i++) rows[i] = in[i] & 255;
            rows = along(rows, kernel, w, c, h, w * c, c);
            rows = along(rows, kernel, h, w * c, 1, 0, w * c);
            for (int i = 0; i < in.length; i++) out[i] = pixel(rows[i]);
        }
    },
    /** Moved by 1, 2, 3, 4, 5 pixels in one of eight directions. */
    SHIFT {
        @Override
        void image(byte[] in, byte[] out, int index, int strength, Dataset like, long seed) {
            long words = Philox.pair(0, index, ordinal(), Streams.CORRUPTION, (int) seed, (int) (seed >>> 32));
            int direction = Philox.below((int) words, 8);
            int place = direction < 4 ? direction : direction + 1; // of the eight neighbours in a 3 x 3 square
            int dy = (place / 3 - 1) * strength;
            int dx = (place % 3 - 1) * strength;
            int c = like.channels();
            for (int y = 0; y < like.height(); y++) {
                for (int x = 0; x < like.width(); x++) {
                    boolean inside = y - dy >= 0 && y - dy < like.height() && x - dx >= 0 && x - dx < like.width();
                    if (!inside) continue;
                    int from = ((y - dy) * like.width() + x - dx) * c;
                    System.arraycopy(in, from, out, (y * like.width() + x) * c, c);
                }
            }
        }
    };

    /** Strengths are 1 to this. */
    public static final int STRENGTHS = 5;

    private static final double[] SIGMA = {0.08, 0.12, 0.18, 0.26, 0.38};
    private static final double[] WIDTH = {0.5, 0.75, 1, 1.5, 2};

    /** Writes the corrupted image {@code in} into {@code out}, which is zero. */
    abstract void image(byte[] in, byte[] out, int index, int strength, Dataset like, long seed);

    /** As commands and tables name it. */
    public String label() {
        return name().toLowerCase(Locale.ROOT);
    }

    /**
     * The set with every image corrupted.
     *
     * @param strength 1 to {@link #STRENGTHS}
     */
    public Dataset apply(Dataset set, int strength, long seed) {
        if (strength < 1 || strength > STRENGTHS) {
            throw new IllegalArgumentException("a corruption's strength is 1 to " + STRENGTHS + ", got " + strength);
        }
        int size = set.imageBytes();
        byte[] pixels = new byte[set.pixels().length];
        byte[] in = new byte[size];
        for (int i = 0; i < set.count(); i++) {
            byte[] out = new byte[size];
            System.arraycopy(set.pixels(), i * size, in, 0, size);
            image(in, out, i, strength, set, seed);
            System.arraycopy(out, 0, pixels, i * size, size);
        }
        return set.with(set.name() + ", " + label() + " " + strength, pixels, set.labels());
    }

    /** Images of no class: every pixel uniform; labels are 0 and mean nothing. */
    public static Dataset uniform(Dataset like, long seed) {
        byte[] pixels = new byte[like.pixels().length];
        int[] words = new int[4];
        for (int i = 0; i < pixels.length; i++) {
            if (i % 4 == 0) Philox.block(i / 4, 0, -1, Streams.CORRUPTION, (int) seed, (int) (seed >>> 32), words);
            pixels[i] = (byte) (words[i % 4] >>> 24);
        }
        return like.with("uniform noise", pixels, new int[like.count()]);
    }

    private static byte pixel(double value) {
        return (byte) Math.max(0, Math.min(255, Math.round(value)));
    }

    /** Sums to 1. */
    private static double[] kernel(double sigma) {
        int radius = (int) Math.ceil(3 * sigma);
        double[] k = new double[2 * radius + 1];
        double sum = 0;
        for (int i = -radius; i <= radius; i++) sum += k[i + radius] = StrictMath.exp(-i * i / (2 * sigma * sigma));
        for (int i = 0; i < k.length; i++) k[i] /= sum;
        return k;
    }

    /**
     * Convolves along one axis.
     *
     * @param n places on the axis, {@code inner} values apart from each other at each of {@code lines} lines
     */
    private static double[] along(double[] x, double[] kernel, int n, int inner, int lines, int line, int step) {
        double[] y = new double[x.length];
        int radius = kernel.length / 2;
        for (int l = 0; l < lines; l++) {
            for (int v = 0; v < inner; v++) {
                int base = l * line + v;
                for (int i = 0; i < n; i++) {
                    double sum = 0;
                    for (int j = -radius; j <= radius; j++) {
                        int at = Math.max(0, Math.min(n - 1, i + j));
                        sum += kernel[j + radius] * x[base + at * step];
                    }
                    y[base + i * step] = sum;
                }
            }
        }
        return y;
    }
}
