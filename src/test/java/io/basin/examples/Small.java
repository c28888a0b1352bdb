package io.basin.examples;

import io.basin.compare.Splits;
import io.basin.data.SyntheticSet;
import io.basin.device.Device;
import io.basin.device.Optimizer;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.nn.Graph;
import io.basin.nn.Value;
import io.basin.train.Settings;

/** What the examples train: a net of one's own on 256 of 300 small images that are made up here. */
final class Small {
    private Small() {}

    static Graph net() {
        Graph g = new Graph(Shape.of(1, 8, 8));
        Value x = g.batchNormRelu(g.conv(g.input(), 8, 3));
        g.dense(g.globalAveragePool(x), 4);
        return g;
    }

    static Splits splits(Device device) {
        return splits(device, new Sgd(0.9, 5e-4, false));
    }

    static Splits splits(Device device, Optimizer optimizer) {
        Settings settings = new Settings("made-up", "mine").with(optimizer).with(new Settings.Data(32, 44));
        return new Splits(device, SyntheticSet.trainTest(300, 100, 8, 8, 1, 4, 1), settings);
    }
}
