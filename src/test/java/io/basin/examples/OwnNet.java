package io.basin.examples;

import io.basin.data.DataSets;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.methods.Budget;
import io.basin.methods.Methods;
import io.basin.nn.Graph;
import io.basin.nn.Value;
import io.basin.train.Model;
import io.basin.train.Settings;
import io.basin.train.Splits;

/**
 * Trains a net of one's own with SWA on a published data set; the arguments are its name, as in {@code basin data list}, and
 * how many samples to train on.
 */
public final class OwnNet {
    public static void main(String[] args) {
        Settings.Data how = new Settings.Data(128, 2, true, 5000, Integer.parseInt(args[1]));
        try (Device device = Devices.best();
                Splits splits = new Splits(device, DataSets.load(args[0]), how)) {
            Graph net = new Graph(splits.sample());
            Value x = net.batchNormRelu(net.conv(net.input(), 16, 3));
            x = net.batchNormRelu(net.conv(net.maxPool(x, 2), 32, 3));
            net.dense(net.maxPool(x, 2), splits.classNames().size());
            try (Model model = new Model(device, net)) {
                model.fit(splits, Methods.swa(0.75, 0.01), new Budget(4, 0.05), 1);
                System.out.printf("accuracy %.3f%n", model.test(splits).accuracy());
            }
        }
    }
}
