package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

/**
 * The one published data set that an operating system's package installs; where it is absent, its error is what is
 * tested.
 */
class FashionMnistTest {
    private static final Path FOLDER = Path.of("/usr/share/datasets/fashion-mnist");

    @Test
    void thePackagedFilesAreThePublishedOnesAndAreRead() {
        if (!Files.isDirectory(FOLDER)) {
            System.out.println("not covered: reading the real Fashion-MNIST, " + FOLDER + " does not exist");
            String message = assertThrows(
                            DataException.class, () -> DataSets.load("fashion-mnist", FOLDER, Progress.NONE))
                    .getMessage();
            assertTrue(message.contains(FOLDER + " does not exist, so it does not hold fashion-mnist"), message);
            return;
        }
        assertEquals(FOLDER, DataSets.locate("fashion-mnist", FOLDER).folder());
        for (Location.FileStatus status : DataSets.verify("fashion-mnist", FOLDER, Progress.NONE)) {
            assertTrue(status.ok(), status.toString());
        }
        TrainTest both = DataSets.load("fashion-mnist", FOLDER, Progress.NONE);
        assertEquals(
                "fashion-mnist train (60000, 28, 28, 1), 10 classes",
                both.train().toString());
        assertEquals(
                "fashion-mnist test (10000, 28, 28, 1), 10 classes", both.test().toString());
        int[] counts = both.train().classCounts();
        for (int k = 0; k < 10; k++) {
            assertEquals(6000, counts[k]);
        }
        // The mean and deviation that the data set's users commonly normalise with.
        assertArrayEquals(new double[] {0.2860}, both.train().statistics().mean(), 5e-5);
        assertArrayEquals(new double[] {0.3530}, both.train().statistics().std(), 5e-5);
        assertEquals(5000, Split.stratified(both.train(), 5000, 1).validation().count());
    }
}
