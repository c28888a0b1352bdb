package io.basin.report;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StatisticsTest {
    /** Student's sleep data (1908), the example of R's t.test: extra sleep under two drugs. */
    private static final double[] DRUG_1 = {0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0.0, 2.0};

    private static final double[] DRUG_2 = {1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4};

    @Test
    void meanAndStandardDeviationByHand() {
        double[] x = {2, 4, 4, 4, 5, 5, 7, 9};
        assertEquals(5, Statistics.mean(x));
        assertEquals(Math.sqrt(32.0 / 7), Statistics.std(x), 1e-15);
    }

    @ParameterizedTest
    @CsvSource({"2, 12.706", "3, 4.303", "5, 2.776", "10, 2.262", "31, 2.042"})
    void theTIntervalUsesTheTablesOfStudentsDistribution(int n, double quantile) {
        double[] x = new double[n];
        Arrays.setAll(x, i -> i * i);
        double half = quantile * Statistics.std(x) / Math.sqrt(n);
        Interval interval = Statistics.tInterval(x);
        assertEquals(Statistics.mean(x), (interval.low() + interval.high()) / 2, 1e-9);
        assertEquals(1, interval.halfWidth() / half, 3e-4); // tables have four digits
    }

    @Test
    void thePairedTestGivesThePublishedValuesOfStudentsSleepData() {
        PairedComparison paired = Statistics.paired(DRUG_1, DRUG_2);
        assertEquals(10, paired.n());
        assertEquals(-1.58, paired.meanDifference(), 1e-12);
        assertEquals(-4.0621, paired.t(), 5e-5);
        assertEquals(0.002833, paired.p(), 5e-7);
        assertEquals(-2.4598858, paired.interval().low(), 5e-8);
        assertEquals(-0.7001142, paired.interval().high(), 5e-8);
    }

    @Test
    void oneValueHasAMeanAndNoSpread() {
        double[] one = {93.5};
        assertEquals(93.5, Statistics.mean(one));
        assertTrue(Double.isNaN(Statistics.std(one)));
        assertFalse(Statistics.tInterval(one).present());
        assertFalse(Statistics.bootstrap(one, 1000, 1).present());
        assertEquals("n/a", Statistics.tInterval(one).toString());
        PairedComparison paired = Statistics.paired(one, new double[] {93});
        assertEquals(0.5, paired.meanDifference());
        assertFalse(paired.interval().present());
        assertTrue(Double.isNaN(paired.p()));
        assertEquals("n/a", paired.interval().toString());
    }

    @Test
    void equalDifferencesGiveNoTestEvenIfRoundingMakesThemDiffer() {
        PairedComparison paired = Statistics.paired(new double[] {0.3, 0.7, 0.9}, new double[] {0.2, 0.6, 0.8});
        assertEquals(0.1, paired.meanDifference(), 1e-15);
        assertFalse(paired.interval().present());
        assertTrue(Double.isNaN(paired.p()));
    }

    @Test
    void theBootstrapNearsTheQuantilesOfAllResamples() {
        double[] x = {1, 2, 4, 8, 16};
        double[] all = new double[3125];
        for (int code = 0; code < 3125; code++) {
            int rest = code;
            for (int i = 0; i < 5; i++) {
                all[code] += x[rest % 5] / 5;
                rest /= 5;
            }
        }
        Arrays.sort(all);
        Interval interval = Statistics.bootstrap(x, 50_000, 7);
        assertEquals(all[(int) (0.025 * 3125)], interval.low(), 0.21); // means come in steps of 0.2
        assertEquals(all[(int) (0.975 * 3125)], interval.high(), 0.21);
    }

    @Test
    void theBootstrapRepeatsWithItsSeed() {
        assertEquals(Statistics.bootstrap(DRUG_1, 500, 3), Statistics.bootstrap(DRUG_1, 500, 3));
        assertNotEquals(Statistics.bootstrap(DRUG_1, 500, 3), Statistics.bootstrap(DRUG_1, 500, 4));
        assertEquals(new Interval(2, 2), Statistics.bootstrap(new double[] {2, 2}, 100, 1));
    }

    @Test
    void holmByHand() {
        // Sorted 0.005 0.01 0.03 0.04 times 4 3 2 1: 0.02 0.03 0.06 and, monotone, 0.06 again.
        assertArrayEquals(new double[] {0.03, 0.06, 0.06, 0.02}, Statistics.holm(0.01, 0.04, 0.03, 0.005), 1e-15);
        assertArrayEquals(new double[] {1, 1}, Statistics.holm(0.6, 0.9));
        assertArrayEquals(new double[] {0.2}, Statistics.holm(0.2));
        assertArrayEquals(new double[] {0.02, Double.NaN, 0.02}, Statistics.holm(0.01, Double.NaN, 0.02), 1e-15);
        assertEquals(0, Statistics.holm().length);
    }

    @Test
    void mcNemarEqualsTheBinomialTail() {
        // 2 P(X <= 2), X ~ Bin(10, 1/2): 2 (1 + 10 + 45) / 1024.
        assertEquals(112.0 / 1024, Statistics.mcNemar(2, 8), 1e-12);
        assertEquals(112.0 / 1024, Statistics.mcNemar(8, 2), 1e-12);
        assertEquals(1, Statistics.mcNemar(5, 5), 1e-12);
        assertEquals(1, Statistics.mcNemar(0, 0));
        assertEquals(2.0 / 64, Statistics.mcNemar(0, 6), 1e-12);
        assertTrue(Statistics.mcNemar(4000, 5000) < 1e-20);
    }

    @Test
    void nonsenseIsRefused() {
        assertThrows(IllegalArgumentException.class, Statistics::mean);
        assertThrows(IllegalArgumentException.class, () -> Statistics.tInterval(1, Double.NaN));
        assertThrows(IllegalArgumentException.class, () -> Statistics.paired(new double[2], new double[3]));
        assertThrows(IllegalArgumentException.class, () -> Statistics.bootstrap(DRUG_1, 99, 1));
        assertThrows(IllegalArgumentException.class, () -> Statistics.holm(1.1));
        assertThrows(IllegalArgumentException.class, () -> Statistics.mcNemar(-1, 1));
        assertThrows(IllegalArgumentException.class, () -> new Interval(2, 1));
        assertThrows(IllegalArgumentException.class, () -> new Interval(Double.NaN, 1));
    }

    @Test
    void intervalsPrintTheirEndsAndKnowTheirInside() {
        Interval interval = new Interval(-0.25, 1.5);
        assertEquals("[-0.25, 1.50]", interval.format(2));
        assertEquals(0.875, interval.halfWidth());
        assertTrue(interval.contains(0));
        assertFalse(interval.contains(2));
        assertFalse(Interval.ABSENT.contains(0));
    }
}
