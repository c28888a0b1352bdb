package io.basin.examples;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Sgd;
import io.basin.methods.Method;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.util.Arrays;

/** A method that no paper has: a table of rates and one of averaging weights, a number a step. */
public final class OwnTables {
    public static void main(String[] args) {
        try (Device device = Devices.best();
                Splits data = Small.splits(device);
                Model model = new Model(device, Small.net())) {
            double[] rates = new double[5 * data.stepsPerEpoch()];
            double[] alpha = new double[rates.length];
            Arrays.setAll(rates, t -> 0.1 / (1 + t / 8));
            Arrays.setAll(alpha, t -> t < 20 ? 0 : 2.0 / (t - 18));
            model.fit(data, Method.of("mine", rates, alpha), new Sgd(), 1, epoch -> {});
            System.out.println(model.test(data).accuracy());
        }
    }
}
