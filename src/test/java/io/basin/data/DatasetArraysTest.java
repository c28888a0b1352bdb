package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Augmentation;
import io.basin.device.Shape;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;

/** Data sets from callers' arrays. */
class DatasetArraysTest {
    private static final float[][] X = {{0, 10}, {2, 10}, {4, 10}, {6, 10}};

    private static void refused(String what, Supplier<Dataset> make) {
        String message = assertThrows(IllegalArgumentException.class, make::get).getMessage();
        assertTrue(message.contains(what), message);
    }

    @Test
    void whatIsNotFiniteOrDoesNotFitIsRefusedByItsPlace() {
        float[][] y = {{1}, {2}, {Float.NaN}, {4}};
        refused("number 0 of sample 2 is NaN", () -> Dataset.of(X, y));
        refused("number 1 of sample 1 is Infinity", () -> Dataset.of(new float[][] {{0, 1}, {1, 1 / 0f}}, new int[2]));
        refused("sample 1 has 1 numbers, sample 0 has 2", () -> Dataset.of(new float[][] {{0, 1}, {1}}, new int[2]));
        refused("4 samples and 3 labels", () -> Dataset.of(X, new int[3]));
        refused("4 samples and 2 targets", () -> Dataset.of(X, new float[2][1]));
        refused("label -1", () -> Dataset.of(X, new int[] {0, 1, -1, 0}));
        refused(
                "not whole samples of (1,2,2)",
                () -> Dataset.of(new byte[5], new int[1], Shape.of(1, 2, 2), List.of("a")));
        refused("there are no numbers", () -> Dataset.of(new float[0][2], new int[0]));
        refused("image 1 has another size", () -> Dataset.of(new float[][][][] {{{{1, 2}}}, {{{1}, {2}}}}, new int[2]));
    }

    /** Samples come in the order of their shape, (c, h, w), and lie on the device with channels last. */
    @Test
    void picturesComeChannelByChannel() {
        byte[] planes = {1, 2, 3, 4, 11, 12, 13, 14};
        Dataset bytes = Dataset.of(planes, new int[] {1}, Shape.of(2, 1, 4), List.of("no", "yes"));
        assertArrayEquals(new byte[] {1, 11, 2, 12, 3, 13, 4, 14}, bytes.pixels());
        assertEquals(Shape.of(2, 1, 4), bytes.sample());
        Dataset floats = Dataset.of(new float[][][][] {{{{1, 2, 3, 4}}, {{11, 12, 13, 14}}}}, new int[] {0});
        Augmentation read = floats.augmentation(0, false);
        assertArrayEquals(new float[] {2.5f, 12.5f}, read.mean());
    }

    /** Each feature by its own mean and deviation, a constant one only centred, unless the caller says otherwise. */
    @Test
    void featuresAreNormalisedEachByItselfOrAsTheCallerSays() {
        Dataset set = Dataset.of(X, new int[] {0, 1, 0, 1});
        Augmentation read = set.augmentation(0, false);
        assertArrayEquals(new float[] {3, 10}, read.mean());
        assertArrayEquals(new float[] {(float) Math.sqrt(5), 1}, read.std());
        Dataset own = set.normalised(new float[] {1, 2}, new float[] {3, 4});
        assertArrayEquals(
                new float[] {3, 4},
                own.subset(new int[] {1}, "part").augmentation(0, false).std());
        refused("mean has 1 channels", () -> set.normalised(new float[1], new float[] {1}));
    }

    @Test
    void aSetWithTargetsIsSplitAndToldFromAnother() {
        Dataset set = Dataset.of(X, new float[][] {{1, 2}, {3, 4}, {5, 6}, {7, 8}});
        assertEquals(2, set.outputs());
        assertThrows(IllegalStateException.class, set::labels);
        assertThrows(IllegalStateException.class, set::pixels);
        TrainTest parts = TrainTest.of(set, 1);
        assertEquals(3, parts.train().count());
        assertEquals(2, parts.test().outputs());
        Dataset other = Dataset.of(X, new float[][] {{1, 2}, {3, 4}, {5, 6}, {7, 9}});
        assertNotEquals(set.sha256(), other.sha256());
    }
}
