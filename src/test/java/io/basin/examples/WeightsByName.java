package io.basin.examples;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Shape;
import io.basin.nn.Nets;
import io.basin.train.Model;

/** A net's table of layers, and its weights by their names. */
public final class WeightsByName {
    public static void main(String[] args) {
        try (Device device = Devices.best();
                Model model = new Model(device, Nets.build("small-cnn", Shape.of(1, 28, 28), 10))) {
            System.out.print(model.graph().summary());
            float[] bias = model.read("fc2.bias");
            bias[3] = 1.5f;
            model.write("fc2.bias", bias);
            System.out.println(model.read("fc2.bias")[3]);
        }
    }
}
