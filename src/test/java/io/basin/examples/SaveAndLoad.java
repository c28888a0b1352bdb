package io.basin.examples;

import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Shape;
import io.basin.nn.Nets;
import io.basin.train.Model;
import java.nio.file.Path;
import java.util.Arrays;

/** A weights file is enough to predict. */
public final class SaveAndLoad {
    public static void main(String[] args) {
        float[] sample = {1, 2};
        try (Device device = Devices.best();
                Model model = new Model(device, Nets.build("mlp", Shape.of(2), 3))) {
            model.reading(new Augmentation(0, false, new float[2], new float[] {1, 1}));
            model.save(Path.of(args[0]));
            try (Model again = Model.load(device, Path.of(args[0]))) {
                System.out.println(Arrays.equals(model.predict(sample), again.predict(sample)));
            }
        }
    }
}
