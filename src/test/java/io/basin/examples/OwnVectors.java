package io.basin.examples;

import io.basin.data.Dataset;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Shape;
import io.basin.methods.Budget;
import io.basin.methods.Methods;
import io.basin.nn.Nets;
import io.basin.train.Model;
import io.basin.train.Splits;

/** Trains with SWA on vectors of one's own, float[n][d]. */
public final class OwnVectors {
    public static void main(String[] args) {
        float[][] x = Samples.points();
        Dataset data = Dataset.of(x, Samples.quadrants(x));
        try (Device device = Devices.best();
                Splits splits = new Splits(device, TrainTest.of(data, 100), 100, 20);
                Model model = new Model(device, Nets.mlp(Shape.of(2), 2, 32))) {
            model.fit(splits, Methods.swa(0.75, 0.01), new Budget(20, 0.05), 1);
            double accuracy = model.test(splits).accuracy();
            System.out.printf("accuracy %.2f%n", accuracy);
        }
    }
}
