package io.basin.examples;

import io.basin.data.SyntheticSet;
import io.basin.device.Device;
import io.basin.device.Shape;
import io.basin.nn.Graph;
import io.basin.nn.Value;
import io.basin.train.Settings;
import io.basin.train.Splits;

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
        return new Splits(device, SyntheticSet.trainTest(300, 100, 8, 8, 1, 4, 1), 44, 32);
    }

    /** SGD as usual, in batches of 32. */
    static Settings settings() {
        return new Settings("made-up", "mine").with(new Settings.Data(32, 44));
    }
}
