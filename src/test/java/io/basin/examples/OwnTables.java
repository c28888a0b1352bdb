package io.basin.examples;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Sgd;
import io.basin.methods.Averaging;
import io.basin.methods.Method;
import io.basin.methods.Schedule;
import io.basin.train.Model;
import io.basin.train.Splits;
import java.util.Arrays;

/** A method that no paper has: a table of rates and one of averaging weights, a number a step. */
public final class OwnTables {
    public static void main(String[] args) {
        try (Device device = Devices.open("auto", 0);
                Splits data = Small.splits(device);
                Model model = new Model(device, Small.net())) {
            double[] rates = new double[5 * data.stepsPerEpoch()];
            double[] alpha = new double[rates.length];
            Arrays.setAll(rates, t -> 0.1 / (1 + t / 8));
            Arrays.setAll(alpha, t -> t < 20 ? 0 : 2.0 / (t - 18));
            Method mine = new Method("mine", Schedule.of("mine", rates), Averaging.of(alpha), Method.Product.AVERAGE);
            model.fit(data, mine, new Sgd(0.9, 5e-4, false), 1, epoch -> {});
            System.out.println(model.evaluate(data, Splits.Part.TEST).accuracy());
        }
    }
}
