package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import org.junit.jupiter.api.Test;

class SyntheticSetTest {
    @Test
    void theSeedDecidesEveryPixel() {
        Dataset set = SyntheticSet.synthetic(10, 6, 5, 3, 4, 1);
        assertEquals("synthetic (10, 6, 5, 3), 4 classes", set.toString());
        assertArrayEquals(
                set.pixels(), SyntheticSet.synthetic(10, 6, 5, 3, 4, 1).pixels());
        assertFalse(Arrays.equals(
                set.pixels(), SyntheticSet.synthetic(10, 6, 5, 3, 4, 2).pixels()));
        assertArrayEquals(new int[] {0, 1, 2, 3, 0, 1, 2, 3, 0, 1}, set.labels());
    }

    @Test
    void trainAndTestContinueEachOther() {
        TrainTest both = SyntheticSet.trainTest(6, 4, 5, 5, 1, 3, 9);
        byte[] all = SyntheticSet.synthetic(10, 5, 5, 1, 3, 9).pixels();
        assertArrayEquals(Arrays.copyOf(all, 150), both.train().pixels());
        assertArrayEquals(Arrays.copyOfRange(all, 150, 250), both.test().pixels());
    }

    @Test
    void theNearestClassMeanRecognisesTestImages() {
        for (int[] shape : new int[][] {{8, 8, 1, 4}, {28, 28, 1, 10}, {32, 32, 3, 10}}) {
            TrainTest both = SyntheticSet.trainTest(400, 200, shape[0], shape[1], shape[2], shape[3], 5);
            int hits = hits(both);
            assertTrue(hits > 180, "hits " + hits + " of 200 for " + both.test());
        }
    }

    @Test
    void sizesBelowOneAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> SyntheticSet.synthetic(0, 1, 1, 1, 1, 0));
        assertThrows(IllegalArgumentException.class, () -> SyntheticSet.synthetic(1, 1, 1, 1, 0, 0));
    }

    private static int hits(TrainTest both) {
        Dataset train = both.train();
        Dataset test = both.test();
        int size = train.imageBytes();
        double[][] means = new double[train.classes()][size];
        int[] counts = train.classCounts();
        for (int i = 0; i < train.count() * size; i++) {
            int label = train.labels()[i / size];
            means[label][i % size] += (train.pixels()[i] & 0xFF) / (double) counts[label];
        }
        int hits = 0;
        for (int i = 0; i < test.count(); i++) {
            int best = 0;
            for (int k = 1; k < means.length; k++) {
                best = distance(test, i, means[k]) < distance(test, i, means[best]) ? k : best;
            }
            hits += best == test.labels()[i] ? 1 : 0;
        }
        return hits;
    }

    private static double distance(Dataset set, int image, double[] mean) {
        double sum = 0;
        for (int p = 0; p < mean.length; p++) {
            double d = (set.pixels()[image * mean.length + p] & 0xFF) - mean[p];
            sum += d * d;
        }
        return sum;
    }
}
