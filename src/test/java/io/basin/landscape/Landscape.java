package io.basin.landscape;

import io.basin.data.Progress;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Shape;
import io.basin.nn.Graph;
import io.basin.nn.Value;
import io.basin.train.BatchNormUpdate;
import io.basin.train.Checkpoint;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.Map;

/** A small net with batch norm, data for it, and files of untrained nets: what whole landscapes are tried on. */
final class Landscape implements AutoCloseable {
    static final TrainTest DATA = SyntheticSet.trainTest(120, 40, 9, 9, 2, 3, 7);
    final Device device;
    final Splits splits;

    static final Settings SETTINGS = TwoParameters.settings("test", 16, 0.9, 5e-4, false);

    Landscape(Device device) {
        this.device = device;
        splits = new Splits(device, DATA, SETTINGS.data());
    }

    static Graph graph() {
        Graph g = new Graph(Shape.of(2, 9, 9));
        Value x = g.at("bn1").batchNormRelu(g.at("conv1").conv(g.input(), 8, 3));
        x = g.maxPool(g.at("bn2").batchNormRelu(g.at("conv2").conv(x, 8, 3)), 2);
        g.at("fc").dense(x, 3);
        return g;
    }

    /** In batches, never the whole set at once. */
    LandscapeData data(int samples, int statistics, String refresh) {
        return new LandscapeData(
                splits,
                SETTINGS,
                graph(),
                new LandscapeData.Sampling(samples, statistics, new BatchNormUpdate(refresh, true), 0));
    }

    /** The whole set at once. */
    LandscapeData whole(int samples, int statistics) {
        return new LandscapeData(
                splits,
                SETTINGS,
                graph(),
                new LandscapeData.Sampling(samples, statistics, new BatchNormUpdate("exact", true), 1));
    }

    /** A net with random weights, written as training writes them. */
    Net net(Path folder, String name, long seed) {
        Path file = folder.resolve(name + ".safetensors");
        try (Model model = new Model(device, graph())) {
            model.initialise(seed);
            Map<String, String> header =
                    Map.of("model", "test", "dataset", "synthetic", "method", name, "seed", Long.toString(seed));
            Checkpoint.saveModel(file, model, model.weights(), header);
        }
        return new Net(name, file);
    }

    /** Interrupts after so many units of progress, as a power cut would, and counts them. */
    static final class Cut implements Progress {
        private final long after;
        long seen;

        Cut(long after) {
            this.after = after;
        }

        @Override
        public Counter start(String task, long total, String unit) {
            return units -> {
                seen += units;
                if (seen >= after) throw new IllegalStateException("cut");
            };
        }
    }

    @Override
    public void close() {
        splits.close();
    }
}
