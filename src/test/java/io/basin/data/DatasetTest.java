package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class DatasetTest {
    private static final List<String> TWO = List.of("a", "b");

    @Test
    void statisticsAreThoseOfTheScaledPixels() {
        // Channel 0: 0, 255 (mean 1/2, deviation 1/2); channel 1: 51, 51 (mean 1/5, deviation 0).
        Dataset set = new Dataset("s", new byte[] {0, 51, (byte) 255, 51}, new int[] {0, 1}, 1, 1, 2, TWO);
        ChannelStatistics statistics = set.statistics();
        assertArrayEquals(new double[] {0.5, 0.2}, statistics.mean(), 1e-15);
        assertArrayEquals(new double[] {0.5, 0}, statistics.std(), 1e-15);
    }

    @Test
    void statisticsEqualANaiveComputation() {
        Dataset set = SyntheticSet.synthetic(50, 5, 7, 3, 4, 9);
        double[] mean = new double[3];
        double[] std = new double[3];
        int n = 50 * 5 * 7;
        for (int i = 0; i < set.pixels().length; i++) {
            mean[i % 3] += (set.pixels()[i] & 0xFF) / 255.0 / n;
        }
        for (int i = 0; i < set.pixels().length; i++) {
            std[i % 3] += Math.pow((set.pixels()[i] & 0xFF) / 255.0 - mean[i % 3], 2) / n;
        }
        for (int c = 0; c < 3; c++) {
            assertEquals(mean[c], set.statistics().mean()[c], 1e-12);
            assertEquals(Math.sqrt(std[c]), set.statistics().std()[c], 1e-12);
        }
    }

    @Test
    void aSubsetHasTheChosenImagesInTheirOrder() {
        Dataset set = new Dataset("s", new byte[] {1, 2, 3, 4, 5, 6}, new int[] {0, 1, 0}, 1, 2, 1, TWO);
        Dataset subset = set.subset(new int[] {2, 0, 2}, "part");
        assertArrayEquals(new byte[] {5, 6, 1, 2, 5, 6}, subset.pixels());
        assertArrayEquals(new int[] {0, 0, 0}, subset.labels());
        assertArrayEquals(new int[] {3, 0}, subset.classCounts());
        assertEquals("part (3, 1, 2, 1), 2 classes", subset.toString());
        assertThrows(IndexOutOfBoundsException.class, () -> set.subset(new int[] {3}, "part"));
        assertThrows(IllegalArgumentException.class, () -> set.subset(new int[0], "part"));
    }

    @Test
    void sizesAndLabelsThatDisagreeAreRefusedWithTheirNumbers() {
        String wrongBytes = assertThrows(
                        IllegalArgumentException.class,
                        () -> new Dataset("s", new byte[5], new int[] {0, 1}, 1, 2, 1, TWO))
                .getMessage();
        assertEquals("s (2, 1, 2, 1), 2 classes: has 5 bytes of pixels, not 2 images of 2", wrongBytes);
        String wrongLabel = assertThrows(
                        IllegalArgumentException.class,
                        () -> new Dataset("s", new byte[4], new int[] {0, 2}, 1, 2, 1, TWO))
                .getMessage();
        assertTrue(wrongLabel.contains("label 2 of image 1 is not below 2"), wrongLabel);
        assertThrows(IllegalArgumentException.class, () -> new Dataset("s", new byte[0], new int[0], 1, 2, 1, TWO));
        assertThrows(
                IllegalArgumentException.class,
                () -> new Dataset("s", new byte[0], new int[] {0}, 1 << 16, 1 << 16, 1, TWO));
    }

    @Test
    void trainAndTestOfDifferentShapeAreRefused() {
        Dataset train = SyntheticSet.synthetic(4, 3, 3, 1, 2, 0);
        Dataset test = SyntheticSet.synthetic(4, 3, 4, 1, 2, 0);
        assertThrows(IllegalArgumentException.class, () -> new TrainTest(train, test));
    }
}
