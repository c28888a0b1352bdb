package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Allocation;
import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.random.Philox;
import io.basin.random.Streams;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

class AugmentTest {
    private static final float[] MEAN = {0.1f, 0.4f, 0.7f};
    private static final float[] STD = {0.2f, 0.3f, 0.5f};
    private static final float UNTOUCHED = 1234.5f;

    @Test
    void trainingSamplesEqualTheNaiveDefinition() {
        for (int channels : new int[] {1, 3}) {
            for (int pad : new int[] {0, 1, 4}) {
                for (boolean flip : new boolean[] {false, true}) {
                    Dataset set = SyntheticSet.synthetic(40, 5, 7, channels, 2, 3);
                    Augmentation augmentation = augmentation(pad, flip, channels);
                    for (int i = 0; i < 40; i++) {
                        long seed = 1L << (i + 10);
                        long epoch = i % 2 == 0 ? i : (long) i << 33;
                        assertArrayEquals(
                                naive(augmentation, set, i, seed, epoch),
                                augmented(augmentation, set, i, seed, epoch, true));
                    }
                }
            }
        }
    }

    @Test
    void coloursAndHolesEqualTheNaiveDefinition() {
        for (int channels : new int[] {1, 2, 3}) {
            for (Distortion d : new Distortion[] {
                new Distortion(0.4, 0, 0), new Distortion(1, 0, 0), new Distortion(0, 4, 0), new Distortion(0.3, 3, 0.2)
            }) {
                Dataset set = SyntheticSet.synthetic(20, 5, 7, channels, 2, 3);
                for (int i = 0; i < 20; i++) {
                    long seed = 3L << (i + 20);
                    long epoch = i % 2 == 0 ? i : (long) i << 33;
                    Augmentation a = augmentation(i % 3, true, channels).with(d);
                    assertArrayEquals(
                            distorted(a, naivePixels(a, set, i, seed, epoch), set, i, seed, epoch),
                            augmented(a, set, i, seed, epoch, true));
                }
            }
        }
    }

    /** One channel's factors, seen in a pixel that is neither clipped nor moved; brightness alone, as the mean is 0. */
    @Test
    void factorsLieEvenlyBetweenTheirEnds() {
        Augmentation a = new Augmentation(0, false, new Distortion(0.3, 0, 0), new float[1], new float[] {1});
        Augment augment = new Augment(a, 1, 1, 1);
        float[] out = new float[1];
        double sum = 0;
        double squares = 0;
        for (int i = 0; i < 20_000; i++) {
            augment.into(ByteBuffer.wrap(new byte[] {100}), 0, i, 3, true, out, 0);
            double product = out[0] * 255 / 100;
            assertTrue(product > 0.7 * 0.7 && product < 1.3 * 1.3, "" + product);
            sum += product / 20_000;
            squares += product * product / 20_000;
        }
        // Of the product of two independent factors, each of mean 1 and variance 0.03; standard error 0.0018.
        assertEquals(1, sum, 0.006);
        assertEquals(1.03 * 1.03, squares, 0.012);
    }

    @Test
    void everyPixelIsCutOutAsOftenAsSquaresAroundAllCentresSay() {
        int size = 9;
        Augmentation a = new Augmentation(0, false, new Distortion(0, 4, 0), new float[] {0.5f}, new float[] {1});
        Augment augment = new Augment(a, size, size, 1);
        int[][] cut = new int[size][size];
        float[] out = new float[size * size];
        int draws = 20_000;
        for (int i = 0; i < draws; i++) {
            augment.into(ByteBuffer.wrap(new byte[size * size]), 0, 5, i, true, out, 0);
            for (int p = 0; p < out.length; p++) if (out[p] == 0) cut[p / size][p % size]++;
        }
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size; x++) {
                double expected = centres(y, size) * centres(x, size) / (double) (size * size);
                double error = Math.sqrt(expected * (1 - expected) / draws);
                assertEquals(expected, cut[y][x] / (double) draws, 5 * error, y + ", " + x);
            }
        }
    }

    /** Centres c in [0, size) of which [c - 2, c + 2) holds {@code at}. */
    private static long centres(int at, int size) {
        return java.util.stream.IntStream.range(0, size)
                .filter(c -> c - 2 <= at && at < c + 2)
                .count();
    }

    @Test
    void sharesHaveTheMomentsOfTheirBeta() {
        for (double alpha : new double[] {0.01, 0.2, 1, 8, 100}) {
            Augmentation a = augmentation(0, false, 1).with(new Distortion(0, 0, alpha));
            Augment augment = new Augment(a, 2, 2, 1);
            double sum = 0;
            double squares = 0;
            int draws = 40_000;
            for (int i = 0; i < draws; i++) {
                float share = augment.share(i % 100, 7, i / 100);
                assertTrue(share >= 0 && share <= 1, "" + share);
                sum += share / draws;
                squares += (share - 0.5) * (share - 0.5) / draws;
            }
            double variance = 1 / (4 * (2 * alpha + 1));
            assertEquals(0.5, sum, 4 * Math.sqrt(variance / draws), "alpha " + alpha);
            assertEquals(variance, squares, 0.02 * variance, "alpha " + alpha);
        }
        assertThrows(IllegalArgumentException.class, () -> new Distortion(1.1, 0, 0));
        assertThrows(IllegalArgumentException.class, () -> new Distortion(0, -1, 0));
        assertThrows(IllegalArgumentException.class, () -> new Distortion(0, 0, Double.NaN));
    }

    @Test
    void everyOffsetAndBothDirectionsOccurEquallyOften() {
        // One bright pixel in the middle tells the offset; a dimmer one to its right the direction.
        byte[] pixels = new byte[81 * 9000];
        for (int i = 0; i < 9000; i++) {
            pixels[81 * i + 40] = (byte) 200;
            pixels[81 * i + 41] = (byte) 100;
        }
        Augment augment = new Augment(new Augmentation(2, true, new float[1], new float[] {1}), 9, 9, 1);
        int[] counts = new int[50];
        float[] out = new float[81];
        for (int i = 0; i < 9000; i++) {
            augment.into(ByteBuffer.wrap(pixels), i, 5, 6, true, out, 0);
            int bright = 0;
            while (out[bright] != 200 / 255f) {
                bright++;
            }
            boolean mirrored = out[bright - 1] == 100 / 255f;
            int dy = bright / 9 - 2;
            int dx = bright % 9 - 2;
            counts[(dy * 5 + dx) * 2 + (mirrored ? 1 : 0)]++;
        }
        // Expected 180 each, standard deviation 13.
        assertTrue(Arrays.stream(counts).allMatch(n -> n > 120 && n < 240), Arrays.toString(counts));
    }

    @Test
    void evaluationIsOnlyNormalisationWhateverTheSeed() {
        Dataset set = SyntheticSet.synthetic(3, 6, 6, 3, 2, 1);
        Augmentation augmentation = augmentation(2, true, 3);
        float[] expected = new float[108];
        for (int c = 0; c < 3; c++) {
            for (int p = 0; p < 36; p++) {
                expected[c * 36 + p] = ((set.pixels()[108 + p * 3 + c] & 0xFF) / 255f - MEAN[c]) / STD[c];
            }
        }
        for (long seed = 0; seed < 50; seed++) {
            assertArrayEquals(expected, augmented(augmentation, set, 1, seed, 3 * seed, false));
        }
    }

    @Test
    void theSameSeedEpochAndSampleGiveTheSameInput() {
        Dataset set = SyntheticSet.synthetic(20, 8, 8, 3, 2, 1);
        Augmentation augmentation = augmentation(3, true, 3);
        int changed = 0;
        for (int i = 0; i < 20; i++) {
            float[] first = augmented(augmentation, set, i, 1, 1, true);
            assertArrayEquals(first, augmented(augmentation, set, i, 1, 1, true));
            changed += Arrays.equals(first, augmented(augmentation, set, i, 1, 2, true)) ? 0 : 1;
            changed += Arrays.equals(first, augmented(augmentation, set, i, 2, 1, true)) ? 0 : 1;
        }
        assertTrue(changed > 30, "changed " + changed);
    }

    @Test
    void arraysAndBuffersGiveTheSameInputAtAnyOffset() {
        Dataset set = SyntheticSet.synthetic(10, 6, 5, 3, 2, 1);
        ByteBuffer direct = ByteBuffer.allocateDirect(set.pixels().length);
        direct.put(set.pixels());
        Augment augment = new Augment(augmentation(2, true, 3), set.height(), set.width(), set.channels());
        float[] a = new float[100];
        float[] b = new float[100];
        Arrays.fill(a, UNTOUCHED);
        Arrays.fill(b, UNTOUCHED);
        augment.into(ByteBuffer.wrap(set.pixels()), 7, 1, 2, true, a, 10);
        augment.into(direct, 7, 1, 2, true, b, 10);
        assertArrayEquals(a, b);
        assertEquals(90, augment.outputSize());
        for (int i = 0; i < 100; i++) {
            assertEquals(i < 10, a[i] == UNTOUCHED, "index " + i);
        }
    }

    @Test
    void samplesAndOffsetsOutsideAreRefused() {
        Dataset set = SyntheticSet.synthetic(2, 4, 4, 1, 2, 1);
        Augment augment = new Augment(augmentation(1, true, 1), set.height(), set.width(), set.channels());
        float[] out = new float[16];
        for (int sample : new int[] {-1, 2, 1 << 28}) {
            assertThrows(
                    IndexOutOfBoundsException.class,
                    () -> augment.into(ByteBuffer.wrap(set.pixels()), sample, 0, 0, true, out, 0));
        }
        assertThrows(
                IndexOutOfBoundsException.class,
                () -> augment.into(ByteBuffer.wrap(set.pixels()), 0, 0, 0, true, out, 1));
    }

    @Test
    void nothingIsAllocatedPerSample() {
        Dataset set = SyntheticSet.synthetic(10, 8, 8, 3, 2, 1);
        Augment augment = new Augment(augmentation(2, true, 3), set.height(), set.width(), set.channels());
        float[] out = new float[augment.outputSize()];
        ByteBuffer pixels = ByteBuffer.wrap(set.pixels());
        Runnable samples = () -> {
            for (int i = 0; i < 1000; i++) {
                augment.into(pixels, i % 10, 1, i, true, out, 0);
            }
        };
        samples.run();
        long allocated = Allocation.of(samples);
        assertTrue(allocated < 1000, "allocated " + allocated + " bytes in 1000 samples");
    }

    @Test
    void augmentationsThatCannotBeAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> augmentation(-1, false, 3));
        assertThrows(IllegalArgumentException.class, () -> new Augmentation(0, false, MEAN, new float[] {1}));
        assertThrows(IllegalArgumentException.class, () -> new Augmentation(0, false, MEAN, new float[3]));
        assertThrows(IllegalArgumentException.class, () -> new Augment(augmentation(0, false, 3), 4, 4, 1));
        assertThrows(IllegalArgumentException.class, () -> new Augment(augmentation(4, false, 1), 4, 8, 1));
    }

    @Test
    void anAugmentationKeepsItsOwnNumbers() {
        float[] mean = MEAN.clone();
        Augmentation augmentation = new Augmentation(1, true, mean, STD);
        mean[0] = 9;
        augmentation.std()[0] = 9;
        assertEquals(augmentation(1, true, 3), augmentation);
        assertEquals(augmentation(1, true, 3).hashCode(), augmentation.hashCode());
        assertFalse(augmentation.equals(augmentation(1, false, 3)));
    }

    @Test
    void normalisationOfASetCentresIt() {
        Dataset set = SyntheticSet.synthetic(200, 6, 6, 3, 4, 1);
        Augmentation augmentation = set.augmentation(0, false);
        double[] sum = new double[3];
        double[] squares = new double[3];
        for (int i = 0; i < 200; i++) {
            float[] input = augmented(augmentation, set, i, 0, 0, false);
            for (int p = 0; p < input.length; p++) {
                sum[p / 36] += input[p] / 7200.0;
                squares[p / 36] += input[p] * input[p] / 7200.0;
            }
        }
        for (int c = 0; c < 3; c++) {
            assertEquals(0, sum[c], 1e-5);
            assertEquals(1, squares[c], 1e-5);
        }
        Dataset black = new Dataset("black", new byte[4], new int[1], 2, 2, 1, java.util.List.of("a"));
        assertArrayEquals(new float[] {1}, black.augmentation(0, false).std());
    }

    private static Augmentation augmentation(int pad, boolean flip, int channels) {
        return new Augmentation(pad, flip, Arrays.copyOf(MEAN, channels), Arrays.copyOf(STD, channels));
    }

    private static float[] augmented(Augmentation a, Dataset set, int sample, long seed, long epoch, boolean train) {
        float[] out = new float[set.imageBytes()];
        new Augment(a, set.height(), set.width(), set.channels())
                .into(ByteBuffer.wrap(set.pixels()), sample, seed, epoch, train, out, 0);
        return out;
    }

    private static int[] words(int stream, int sample, long seed, long epoch) {
        int[] words = new int[4];
        Philox.block(sample, (int) epoch, (int) (epoch >> 32), stream, (int) seed, (int) (seed >> 32), words);
        return words;
    }

    private static float between0And1(float v) {
        return Math.min(1, Math.max(0, v));
    }

    /** Changes all colours of an image of pixels (C, H, W), then normalises it, then cuts. */
    private static float[] distorted(Augmentation a, int[] pixels, Dataset set, int sample, long seed, long epoch) {
        int plane = set.height() * set.width();
        int[] jitter = words(Streams.JITTER, sample, seed, epoch);
        java.math.BigInteger bits = java.math.BigInteger.valueOf(Integer.toUnsignedLong(jitter[1]))
                .shiftLeft(32)
                .add(java.math.BigInteger.valueOf(Integer.toUnsignedLong(jitter[0])));
        float strength = (float) a.distortion().jitter();
        float[] factor = new float[3];
        for (int k = 0; k < 3; k++) {
            float unit = bits.shiftRight(21 * k).intValue() % (1 << 21) & (1 << 21) - 1;
            factor[k] = 1 - strength + 2 * strength * (unit / (1 << 21));
        }
        int[] hole = words(Streams.CUTOUT, sample, seed, epoch);
        int side = a.distortion().cutout();
        long top = (Integer.toUnsignedLong(hole[0]) * set.height() >> 32) - side / 2;
        long left = (Integer.toUnsignedLong(hole[1]) * set.width() >> 32) - side / 2;
        float[] v = new float[pixels.length];
        for (int i = 0; i < v.length; i++) {
            v[i] = pixels[i] / 255f;
            if (strength == 0) continue;
            float mean = a.mean()[i / plane];
            v[i] = between0And1(v[i] * factor[0]);
            v[i] = between0And1(mean + factor[1] * (v[i] - mean));
        }
        for (int i = 0; i < plane && v.length == 3 * plane && strength > 0; i++) {
            float grey = 0.2989f * v[i] + 0.587f * v[plane + i] + 0.114f * v[2 * plane + i];
            for (int c = 0; c < 3; c++) v[c * plane + i] = between0And1(grey + factor[2] * (v[c * plane + i] - grey));
        }
        for (int i = 0; i < v.length; i++) {
            v[i] = (v[i] - a.mean()[i / plane]) / a.std()[i / plane];
            int y = i % plane / set.width();
            int x = i % set.width();
            if (y >= top && y < top + side && x >= left && x < left + side) v[i] = 0;
        }
        return v;
    }

    /** Pads, crops, mirrors, then normalises, one whole image after the other. */
    private static float[] naive(Augmentation a, Dataset set, int sample, long seed, long epoch) {
        int[] pixels = naivePixels(a, set, sample, seed, epoch);
        float[] out = new float[pixels.length];
        int plane = set.height() * set.width();
        for (int i = 0; i < out.length; i++) out[i] = (pixels[i] / 255f - a.mean()[i / plane]) / a.std()[i / plane];
        return out;
    }

    private static int[] naivePixels(Augmentation a, Dataset set, int sample, long seed, long epoch) {
        int h = set.height();
        int w = set.width();
        int pad = a.pad();
        int[] words = words(Streams.AUGMENTATION, sample, seed, epoch);
        int dy = (int) (Integer.toUnsignedLong(words[0]) * (2 * pad + 1) >> 32);
        int dx = (int) (Integer.toUnsignedLong(words[1]) * (2 * pad + 1) >> 32);
        boolean mirror = a.flip() && words[0] % 2 != 0;
        int[] out = new int[set.imageBytes()];
        for (int c = 0; c < set.channels(); c++) {
            int[][] padded = new int[h + 2 * pad][w + 2 * pad];
            for (int y = 0; y < h; y++) {
                for (int x = 0; x < w; x++) {
                    padded[y + pad][x + pad] = set.pixels()[((sample * h + y) * w + x) * set.channels() + c] & 0xFF;
                }
            }
            for (int y = 0; y < h; y++) {
                int[] row = Arrays.copyOfRange(padded[y + dy], dx, dx + w);
                for (int x = 0; x < w; x++) {
                    out[(c * h + y) * w + x] = mirror ? row[w - 1 - x] : row[x];
                }
            }
        }
        return out;
    }
}
