package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

class CorruptionTest {
    private static Dataset constant(int count, int value, int h, int w, int c) {
        byte[] pixels = new byte[count * h * w * c];
        Arrays.fill(pixels, (byte) value);
        return new Dataset("constant", pixels, new int[count], h, w, c, List.of("a", "b"));
    }

    private static Dataset point(int h, int w, int c, int y, int x, int channel) {
        byte[] pixels = new byte[h * w * c];
        pixels[(y * w + x) * c + channel] = (byte) 255;
        return new Dataset("point", pixels, new int[1], h, w, c, List.of("a"));
    }

    @ParameterizedTest
    @EnumSource
    void itIsAFunctionOfSeedAndImageAlone(Corruption corruption) {
        Dataset set = SyntheticSet.synthetic(9, 12, 10, 3, 4, 5);
        for (int strength = 1; strength <= Corruption.STRENGTHS; strength++) {
            Dataset once = corruption.apply(set, strength, 7);
            assertArrayEquals(once.pixels(), corruption.apply(set, strength, 7).pixels());
            Dataset begin = corruption.apply(set.subset(new int[] {0, 1, 2}, "begin"), strength, 7);
            assertArrayEquals(begin.pixels(), Arrays.copyOf(once.pixels(), begin.pixels().length));
            assertArrayEquals(set.labels(), once.labels());
            assertFalse(Arrays.equals(set.pixels(), once.pixels()));
            boolean random = corruption != Corruption.BLUR;
            assertEquals(
                    !random,
                    Arrays.equals(
                            once.pixels(), corruption.apply(set, strength, 8).pixels()));
        }
        assertThrows(IllegalArgumentException.class, () -> corruption.apply(set, 6, 7));
        assertThrows(IllegalArgumentException.class, () -> corruption.apply(set, 0, 7));
    }

    @ParameterizedTest
    @CsvSource({"1, 0.08", "2, 0.12", "3, 0.18"})
    void noiseHasThePublishedStandardDeviation(int strength, double sigma) {
        Dataset noisy = Corruption.NOISE.apply(constant(40, 128, 28, 28, 1), strength, 3);
        double n = noisy.pixels().length;
        double mean = 0;
        double squares = 0;
        for (byte b : noisy.pixels()) {
            double d = ((b & 255) - 128) / 255.0;
            mean += d / n;
            squares += d * d / n;
        }
        // Rounding to whole levels adds 1/12 of a level squared; 0.18 is clipped beyond 2.8 deviations.
        assertEquals(0, mean, 5 * sigma / Math.sqrt(n));
        assertEquals(sigma, Math.sqrt(squares), 0.01 * sigma + 1e-3);
    }

    @ParameterizedTest
    @CsvSource({"1, 0.5", "2, 0.75", "3, 1", "4, 1.5", "5, 2"})
    void blurSpreadsAPointAsAGaussian(int strength, double sigma) {
        int size = 25;
        Dataset out = Corruption.BLUR.apply(point(size, size, 3, 12, 12, 1), strength, 1);
        int radius = (int) Math.ceil(3 * sigma);
        double norm = 0;
        for (int i = -radius; i <= radius; i++) norm += Math.exp(-i * i / (2 * sigma * sigma));
        for (int y = 0; y < size; y++) {
            for (int x = 0; x < size; x++) {
                int dy = y - 12;
                int dx = x - 12;
                boolean inside = Math.abs(dy) <= radius && Math.abs(dx) <= radius;
                double g = inside ? Math.exp(-(dy * dy + dx * dx) / (2 * sigma * sigma)) / (norm * norm) : 0;
                for (int c = 0; c < 3; c++) {
                    int got = out.pixels()[(y * size + x) * 3 + c] & 255;
                    assertEquals(c == 1 ? 255 * g : 0, got, 0.5 + 1e-9);
                }
            }
        }
    }

    @Test
    void blurKeepsAConstantImageToItsEdges() {
        Dataset flat = constant(2, 77, 9, 7, 2);
        assertArrayEquals(flat.pixels(), Corruption.BLUR.apply(flat, 5, 1).pixels());
    }

    @Test
    void shiftsMoveByTheirStrengthInAllEightDirections() {
        int count = 200;
        byte[] pixels = new byte[count * 21 * 21];
        for (int i = 0; i < count; i++) pixels[i * 441 + 10 * 21 + 10] = (byte) 200;
        Dataset points = new Dataset("points", pixels, new int[count], 21, 21, 1, List.of("a"));
        for (int strength = 1; strength <= 5; strength++) {
            Dataset out = Corruption.SHIFT.apply(points, strength, 4);
            boolean[] seen = new boolean[9];
            for (int i = 0; i < count; i++) {
                int at = -1;
                for (int j = 0; j < 441; j++) if (out.pixels()[i * 441 + j] != 0) at = j;
                int dy = at / 21 - 10;
                int dx = at % 21 - 10;
                assertEquals(strength, Math.max(Math.abs(dy), Math.abs(dx)));
                assertTrue(dy % strength == 0 && dx % strength == 0);
                seen[(dy / strength + 1) * 3 + dx / strength + 1] = true;
            }
            for (int d = 0; d < 9; d++) assertEquals(d != 4, seen[d], "direction " + d);
        }
    }

    @Test
    void whatAShiftUncoversIsZero() {
        Dataset out = Corruption.SHIFT.apply(constant(20, 255, 8, 8, 1), 2, 4);
        for (int i = 0; i < 20; i++) {
            int lit = 0;
            for (int j = 0; j < 64; j++) lit += out.pixels()[i * 64 + j] != 0 ? 1 : 0;
            assertTrue(lit == 6 * 8 || lit == 6 * 6, "lit " + lit);
        }
    }

    @Test
    void imagesOfNoClassAreUniform() {
        Dataset noise = Corruption.uniform(constant(50, 0, 28, 28, 1), 3);
        double mean = 0;
        double n = noise.pixels().length;
        for (byte b : noise.pixels()) mean += (b & 255) / n;
        assertEquals(127.5, mean, 5 * 74 / Math.sqrt(n));
    }
}
