package io.basin.average;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Draws;
import java.math.BigDecimal;
import java.math.MathContext;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PopulationStatisticsTest {
    private static float[] around(float mean, float deviation, long seed, int count) {
        float[] values = Draws.normal(seed, count);
        for (int i = 0; i < count; i++) values[i] = mean + deviation * values[i];
        return values;
    }

    /** Mean and sum of squares about it, in decimals of 40 digits. */
    private static double[] exact(float[] values) {
        MathContext digits = new MathContext(40);
        BigDecimal n = new BigDecimal(values.length);
        BigDecimal sum = BigDecimal.ZERO;
        for (float v : values) sum = sum.add(new BigDecimal(v));
        BigDecimal mean = sum.divide(n, digits);
        BigDecimal squares = BigDecimal.ZERO;
        for (float v : values)
            squares = squares.add(new BigDecimal(v).subtract(mean).pow(2), digits);
        return new double[] {mean.doubleValue(), squares.doubleValue()};
    }

    /** A mean of squares less the squared mean has, in float64, 5 of 7 digits left here, and in float32 none. */
    @Test
    void aSmallSpreadAboutALargeMeanKeepsItsDigits() {
        float[] values = around(1000, 0.01f, 1, 6000);
        PopulationStatistics s = new PopulationStatistics();
        int at = 0;
        for (int n : new int[] {1, 7, 1992, 4000}) {
            s.add("bn", Arrays.copyOfRange(values, at, at + n), n, 1);
            at += n;
        }
        double[] exact = exact(values);
        assertEquals(6000, s.count("bn"));
        assertEquals((float) exact[0], s.mean("bn")[0]);
        assertEquals((float) (exact[1] / 6000), s.variance("bn")[0]);
        assertEquals((float) (exact[1] / 5999), s.unbiasedVariance("bn")[0]);
    }

    @Test
    void placesOfAnImageCountAsValuesOfTheirChannel() {
        float[] batch = {1, 2, 3, 10, 20, 30, 5, 6, 7, 50, 60, 70}; // (2, 2, 3)
        PopulationStatistics s = new PopulationStatistics();
        s.add("bn", batch, 2, 2, 3);
        assertEquals(List.of("bn"), s.layers());
        assertArrayEquals(new float[] {4, 40}, s.mean("bn"));
        assertArrayEquals(new float[] {28 / 6f, 2800 / 6f}, s.variance("bn"));
        assertArrayEquals(new float[] {28 / 5f, 2800 / 5f}, s.unbiasedVariance("bn"));
    }

    @Test
    void buffersAreReadFromTheirPositionAndStayThere() {
        FloatBuffer direct = ByteBuffer.allocateDirect(20).asFloatBuffer();
        direct.put(new float[] {99, 1, 2, 3, 4}).position(1);
        PopulationStatistics s = new PopulationStatistics();
        s.add("bn", direct, 2, 2, 1);
        assertEquals(1, direct.position());
        assertArrayEquals(new float[] {2, 3}, s.mean("bn"));
    }

    @Test
    void twoInstancesMergedAreOneThatSawBoth() {
        float[] values = around(-50, 0.5f, 2, 3000);
        PopulationStatistics all = new PopulationStatistics();
        all.add("a", values, 1000, 3);
        PopulationStatistics first = new PopulationStatistics();
        PopulationStatistics second = new PopulationStatistics();
        first.add("a", Arrays.copyOf(values, 900), 300, 3);
        second.add("a", Arrays.copyOfRange(values, 900, 3000), 700, 3);
        second.add("b", values, 3000, 1);
        first.merge(second);
        assertArrayEquals(all.mean("a"), first.mean("a"));
        assertArrayEquals(all.variance("a"), first.variance("a"));
        assertArrayEquals(second.variance("b"), first.variance("b"));
        second.merge(second);
        assertEquals(6000, second.count("b"));
        assertArrayEquals(first.variance("b"), second.variance("b"));
    }

    @Test
    void whatDoesNotFitIsRefusedByTheLayersNameAndNotTakenIn() {
        PopulationStatistics s = new PopulationStatistics();
        s.add("bn", new float[] {1, 2}, 1, 2);
        PopulationStatistics other = new PopulationStatistics();
        other.add("new", new float[] {1}, 1, 1);
        other.add("bn", new float[] {1, 2, 3}, 1, 3);
        refused("layer `bn`: (2, 2, 1) is not the shape of 3 values", () -> s.add("bn", new float[3], 2, 2));
        refused("layer `bn`: (0, 2, 1) is not", () -> s.add("bn", new float[0], 0, 2));
        refused("layer `bn`: has 2 channels, got 3", () -> s.add("bn", new float[3], 1, 3));
        refused("layer `bn`: has 2 channels, got 3", () -> s.merge(other));
        refused(
                "layer `bn`: channel 1 has values that are not finite",
                () -> s.add("bn", new float[] {1, Float.NaN}, 1, 2));
        refused("layer `x`: nothing was added to it; layers are [bn]", () -> s.mean("x"));
        refused("layer `bn`: one value per channel", () -> s.unbiasedVariance("bn"));
        assertEquals(List.of("bn"), s.layers());
        assertEquals(1, s.count("bn"));
        assertArrayEquals(new float[] {1, 2}, s.mean("bn"));
    }

    private static void refused(String message, Runnable misuse) {
        String said = assertThrows(IllegalArgumentException.class, misuse::run).getMessage();
        assertTrue(said.startsWith(message), said);
    }
}
