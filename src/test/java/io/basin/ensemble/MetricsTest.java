package io.basin.ensemble;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import org.junit.jupiter.api.Test;

class MetricsTest {
    @Test
    void threeSamplesByHand() {
        Metrics metrics = new Metrics(2);
        metrics.add(new double[] {0.9, 0.1}, 0);
        metrics.add(new double[] {0.88, 0.12}, 1);
        metrics.add(new double[] {0.4, 0.6}, 1);
        assertEquals(3, metrics.count());
        assertEquals(2.0 / 3, metrics.accuracy());
        assertEquals(-(Math.log(0.9) + Math.log(0.12) + Math.log(0.6)) / 3, metrics.nll(), 1e-15);
        // 0.9 and 0.88 share the bin (13/15, 14/15]; 0.6 is alone in (8/15, 9/15].
        double expected = 2.0 / 3 * Math.abs(1 / 2.0 - (0.9 + 0.88) / 2) + 1.0 / 3 * Math.abs(1 - 0.6);
        assertEquals(expected, metrics.ece(), 1e-15);
    }

    @Test
    void theCalibrationErrorEqualsItsDefinitionOverAllBins() {
        Sample sample = Sample.random(3, 1, 500, 3);
        Metrics metrics = new Metrics(3);
        for (int i = 0; i < 500; i++) {
            metrics.add(sample.p()[0][i], sample.labels()[i]);
        }
        double ece = 0;
        for (int m = 1; m <= 15; m++) {
            double accuracy = 0;
            double confidence = 0;
            int n = 0;
            for (int i = 0; i < 500; i++) {
                double[] p = sample.p()[0][i];
                double top = Math.max(p[0], Math.max(p[1], p[2]));
                if (top > (m - 1) / 15.0 && top <= m / 15.0) {
                    n++;
                    confidence += top;
                    accuracy += p[sample.labels()[i]] == top ? 1 : 0;
                }
            }
            ece += n == 0 ? 0 : n / 500.0 * Math.abs(accuracy / n - confidence / n);
        }
        assertEquals(ece, metrics.ece(), 1e-12);
    }

    @Test
    void aBinHoldsItsUpperEdgeAndNotItsLower() {
        Metrics metrics = new Metrics(2);
        metrics.add(new double[] {0.6, 0.4}, 0); // 9/15 belongs to (8/15, 9/15]
        metrics.add(new double[] {0.61, 0.39}, 1);
        assertEquals((Math.abs(1 - 0.6) + Math.abs(0 - 0.61)) / 2, metrics.ece(), 1e-15);
    }

    @Test
    void aCertainErrorCostsTheFloorNotInfinity() {
        Metrics metrics = new Metrics(2);
        metrics.add(new double[] {1, 0}, 1);
        assertEquals(12 * Math.log(10), metrics.nll(), 1e-12);
        assertEquals(0, metrics.accuracy());
        assertEquals(1, metrics.ece());
    }

    @Test
    void perfectAndUniformPredictionsHaveTheirKnownValues() {
        Metrics perfect = new Metrics(3);
        perfect.add(new double[] {0, 0, 1}, 2);
        assertEquals(1, perfect.accuracy());
        assertEquals(0, perfect.nll());
        assertEquals(0, perfect.ece());
        Metrics uniform = new Metrics(4);
        for (int label = 0; label < 4; label++) {
            uniform.add(new double[] {0.25, 0.25, 0.25, 0.25}, label);
        }
        assertEquals(0.25, uniform.accuracy()); // the first of equals is predicted
        assertEquals(Math.log(4), uniform.nll(), 1e-15);
        assertEquals(0, uniform.ece());
    }

    @Test
    void nothingHasNoMetricAndNonsenseIsRefused() {
        Metrics metrics = new Metrics(2);
        assertThrows(IllegalStateException.class, metrics::accuracy);
        assertThrows(IllegalStateException.class, metrics::nll);
        assertThrows(IllegalStateException.class, metrics::ece);
        assertEquals("no samples", metrics.toString());
        assertThrows(IllegalArgumentException.class, () -> metrics.add(new double[] {1, 0}, 2));
        assertThrows(IllegalArgumentException.class, () -> metrics.add(new double[] {Double.NaN, 0}, 0));
    }
}
