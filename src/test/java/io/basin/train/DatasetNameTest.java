package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.data.Catalog;
import io.basin.data.CatalogEntry;
import io.basin.data.DataSets;
import io.basin.data.Dataset;
import io.basin.data.Progress;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import io.basin.data.Written;
import io.basin.device.Device;
import io.basin.device.Devices;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the header of a weights file says as {@code dataset}: the name under which the data are asked for. */
class DatasetNameTest {
    @TempDir
    private Path folder;

    private static String named(TrainTest data, int validation) {
        try (Device device = Devices.open("cpu", 1);
                Splits splits = new Splits(device, data, validation, 2)) {
            return splits.card("mlp", "sgd", "1").dataset();
        }
    }

    @Test
    void filesOfASetOfTheCatalogueNameItAsTheCatalogueDoes() throws Exception {
        for (CatalogEntry set : Catalog.names().stream().map(Catalog::find).toList()) {
            Path at = Files.createDirectories(folder.resolve(set.name()));
            Written.folder(at, set);
            assertEquals(set.name(), named(DataSets.load(set.name(), at, Progress.NONE), 10));
        }
    }

    @Test
    void filesOfOtherDataNameThemAsTheyAreNamed() {
        assertEquals("synthetic", named(SyntheticSet.trainTest(20, 10, 4, 4, 1, 2, 1), 4));
        Dataset own = SyntheticSet.synthetic(30, 4, 4, 1, 2, 1);
        assertEquals("petals", named(TrainTest.of(own.named("petals"), 10), 4));
        float[][] x = {{1}, {2}, {3}, {4}, {5}, {6}, {7}, {8}};
        assertEquals("own", named(TrainTest.of(Dataset.of(x, new int[] {0, 1, 0, 1, 0, 1, 0, 1}), 2), 2));
    }
}
