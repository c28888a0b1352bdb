package io.basin.ensemble;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;

class TemperatureTest {
    private static final int CLASSES = 4;
    private static final int SAMPLES = 4000;
    private final double[] p = new double[SAMPLES * CLASSES];
    private final int[] labels = new int[SAMPLES];

    /** Labels drawn from the probabilities themselves: those are calibrated. */
    TemperatureTest() {
        Random random = new Random(5);
        for (int i = 0; i < SAMPLES; i++) {
            double sum = 0;
            for (int k = 0; k < CLASSES; k++) sum += p[i * CLASSES + k] = Math.exp(random.nextGaussian());
            double u = random.nextDouble();
            for (int k = CLASSES - 1; k >= 0; k--) {
                p[i * CLASSES + k] /= sum;
                u -= p[i * CLASSES + k];
                if (u > 0) labels[i] = k - 1;
                else if (u + p[i * CLASSES + k] > 0) labels[i] = k;
            }
        }
    }

    private double nll(double[] q) {
        Metrics m = new Metrics(CLASSES);
        for (int i = 0; i < SAMPLES; i++) m.add(q, i * CLASSES, 0, labels[i]);
        return m.nll();
    }

    /** A label may choose the temperature of the other half only. */
    @Test
    void crossFittedIsCalibratedAndNoSampleIsScaledByItsOwnLabel() {
        double[] sure = new Temperature(1 / 3.0).apply(p, CLASSES);
        double[] fitted = Temperature.crossFitted(sure, CLASSES, labels);
        assertEquals(nll(p), nll(fitted), 0.01);
        for (int i = 0; i < SAMPLES; i += 2) labels[i] = (labels[i] + 1) % CLASSES;
        double[] other = Temperature.crossFitted(sure, CLASSES, labels);
        boolean changed = false;
        for (int i = 0; i < SAMPLES * CLASSES; i++) {
            if (i / CLASSES % 2 == 0) assertEquals(fitted[i], other[i]);
            else changed |= fitted[i] != other[i];
        }
        assertTrue(changed);
    }

    @Test
    void calibratedProbabilitiesNeedNone() {
        assertEquals(1, Temperature.fit(p, CLASSES, labels).value(), 0.05);
    }

    @Test
    void whatATemperatureDidToThemTheFitUndoes() {
        double[] sharp = new Temperature(0.4).apply(p, CLASSES);
        Temperature fit = Temperature.fit(sharp, CLASSES, labels);
        double direct = Temperature.fit(p, CLASSES, labels).value();
        assertEquals(2.5, fit.value() / direct, 1e-6);
        assertArrayEquals(new Temperature(direct).apply(p, CLASSES), fit.apply(sharp, CLASSES), 1e-9);
    }

    @Test
    void noOtherTemperatureIsLikelier() {
        double best = Temperature.fit(p, CLASSES, labels).value();
        double least = nll(new Temperature(best).apply(p, CLASSES));
        for (double other : new double[] {0.5, 0.9, 1.1, 2, 10}) {
            assertTrue(least < nll(new Temperature(best * other).apply(p, CLASSES)), "T * " + other);
        }
    }

    @Test
    void certainAndWrongStaysFinite() {
        double[] certain = {1, 0, 0, 1};
        double t = Temperature.fit(certain, 2, new int[] {1, 0}).value();
        assertEquals(100, t, 1e-6, "as unsure as it may get");
        assertTrue(Double.isFinite(new Temperature(t).apply(certain, 2)[1]));
    }
}
