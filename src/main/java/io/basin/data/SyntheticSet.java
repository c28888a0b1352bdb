package io.basin.data;

import io.basin.Api;
import io.basin.random.Philox;
import io.basin.random.Streams;
import java.util.ArrayList;
import java.util.List;

/**
 * Small image sets made from a seed, for tests and for trying commands without a download.
 *
 * <p>Every class has a smooth pattern of its own, blobs of a few pixels so that crops and flips do not wipe it out; an image is its
 * class's pattern at a random strength under noise. A linear classifier learns them well but not at once, so a training loop that
 * works is told from one that does not. Images are drawn one by one from their index: a longer set begins with the shorter one.
 */
@Api
public final class SyntheticSet {
    /** Side of the coarse grid that a pattern is interpolated from. */
    private static final int GRID = 5;

    private static final int NOISE = 96;

    private SyntheticSet() {}

    /**
     * Makes images, their labels going round the classes.
     *
     * @return {@code n} images of shape (n, h, w, c)
     * @throws IllegalArgumentException if a size is below 1
     */
    public static Dataset synthetic(int n, int h, int w, int c, int classes, long seed) {
        return make(0, n, h, w, c, classes, seed, "synthetic");
    }

    /** Two sets of the same classes without a common image. */
    public static TrainTest trainTest(int train, int test, int h, int w, int c, int classes, long seed) {
        return new TrainTest(
                "synthetic",
                make(0, train, h, w, c, classes, seed, "synthetic train"),
                make(train, test, h, w, c, classes, seed, "synthetic test"));
    }

    private static Dataset make(int first, int n, int h, int w, int c, int classes, long seed, String name) {
        if (n < 1 || h < 1 || w < 1 || c < 1 || classes < 1) {
            throw new IllegalArgumentException("no synthetic set of " + n + " images (" + h + ", " + w + ", " + c
                    + ") in " + classes + " classes: every size must be at least 1");
        }
        float[][] patterns = new float[classes][];
        List<String> classNames = new ArrayList<>();
        for (int k = 0; k < classes; k++) {
            patterns[k] = pattern(k, h, w, c, seed);
            classNames.add("class " + k);
        }
        int size = Math.multiplyExact(Math.multiplyExact(h, w), c);
        byte[] pixels = new byte[Math.multiplyExact(n, size)];
        int[] labels = new int[n];
        int[] words = new int[4];
        for (int i = 0; i < n; i++) {
            int index = first + i;
            labels[i] = index % classes;
            draw(index, -1, seed, words);
            float strength = 0.5f + 0.5f * Philox.unit(words[0]);
            for (int p = 0; p < size; p++) {
                if (p % 4 == 0) draw(index, p / 4, seed, words);
                float noise = NOISE * (Philox.unit(words[p % 4]) - 0.5f);
                float value = 128 + strength * patterns[labels[i]][p] + noise;
                pixels[i * size + p] = (byte) Math.max(0, Math.min(255, Math.round(value)));
            }
        }
        return new Dataset(name, pixels, labels, h, w, c, classNames);
    }

    /** A pattern (h, w, c) of values in [-80, 80), bilinear between the points of a coarse grid. */
    private static float[] pattern(int label, int h, int w, int c, long seed) {
        float[] pattern = new float[Math.multiplyExact(Math.multiplyExact(h, w), c)];
        int at = 0;
        for (int y = 0; y < h; y++) {
            float gy = (float) y * (GRID - 1) / h;
            for (int x = 0; x < w; x++) {
                float gx = (float) x * (GRID - 1) / w;
                for (int channel = 0; channel < c; channel++) pattern[at++] = interpolate(label, channel, gy, gx, seed);
            }
        }
        return pattern;
    }

    private static float interpolate(int label, int channel, float gy, float gx, long seed) {
        int y = (int) gy;
        int x = (int) gx;
        float top = mix(point(label, channel, y, x, seed), point(label, channel, y, x + 1, seed), gx - x);
        float bottom = mix(point(label, channel, y + 1, x, seed), point(label, channel, y + 1, x + 1, seed), gx - x);
        return mix(top, bottom, gy - y);
    }

    private static float mix(float a, float b, float share) {
        return a + (b - a) * share;
    }

    private static float point(int label, int channel, int y, int x, long seed) {
        int word = (int) Philox.pair(
                label, (channel * GRID + y) * GRID + x, 0, Streams.SYNTHETIC, (int) seed, (int) (seed >>> 32));
        return 160 * (Philox.unit(word) - 0.5f);
    }

    /** Random block of an image; patterns have 0 where images have 1, so they share none. */
    private static void draw(int index, int block, long seed, int[] words) {
        Philox.block(index, block, 1, Streams.SYNTHETIC, (int) seed, (int) (seed >>> 32), words);
    }
}
