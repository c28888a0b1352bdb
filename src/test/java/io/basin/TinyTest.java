package io.basin;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.SyntheticSet;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Sgd;
import io.basin.methods.Budget;
import io.basin.methods.Methods;
import io.basin.nn.Graph;
import io.basin.nn.Value;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Read this first: a net is built, trained, averaged, saved, loaded and asked. */
class TinyTest {
    @TempDir
    Path folder;

    @Test
    void aNetIsBuiltTrainedAveragedSavedLoadedAndPredicts() {
        try (Device device = Devices.open("cpu", 1);
                Splits splits = new Splits(device, SyntheticSet.trainTest(500, 100, 8, 8, 1, 4, 1), 100, 20)) {
            Graph net = new Graph(splits.testSet().sample());
            Value x = net.batchNormRelu(net.conv(net.input(), 8, 3));
            net.dense(net.maxPool(x, 2), 4);
            byte[] picture = splits.testSet().subset(new int[] {0}, "one").pixels();
            Path file = folder.resolve("net.safetensors");
            try (Model model = new Model(device, net)) {
                model.fit(splits, Methods.swa(0.75, 0.01), new Budget(4, 0.05), new Sgd(), 1, epoch -> {});
                assertTrue(model.test(splits).accuracy() > 0.9);
                model.save(file);
                try (Model again = Model.load(device, file, net)) {
                    assertArrayEquals(model.predict(picture), again.predict(picture));
                    assertArrayEquals(model.read("conv1.weight"), again.read("conv1.weight"));
                }
            }
        }
    }
}
