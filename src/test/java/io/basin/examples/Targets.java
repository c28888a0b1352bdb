package io.basin.examples;

import io.basin.data.Dataset;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Loss;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.methods.Budget;
import io.basin.methods.Methods;
import io.basin.nn.Nets;
import io.basin.train.Model;
import io.basin.train.Splits;

/** Regression, one yes or no, and labels of which several may hold at once. */
public final class Targets {
    public static void main(String[] args) {
        float[][] x = Samples.points();
        learn(Dataset.of(x, Samples.waves(x)), Loss.squaredError());
        learn(Dataset.of(x, Samples.answers(x)), Loss.binaryCrossEntropy());
        learn(Dataset.of(x, Samples.tags(x)), Loss.binaryCrossEntropy());
    }

    private static void learn(Dataset data, Loss loss) {
        try (Device device = Devices.best();
                Splits splits = new Splits(device, TrainTest.of(data, 100), 100, 20);
                Model model = new Model(device, Nets.mlp(Shape.of(2), data.outputs(), 64), loss, Precision.FP32)) {
            model.fit(splits, Methods.ema(0.999), new Budget(30, 0.05), 1);
            System.out.printf("loss %.3f%n", model.test(splits).meanLoss());
        }
    }
}
