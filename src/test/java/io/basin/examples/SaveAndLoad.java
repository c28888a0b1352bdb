package io.basin.examples;

import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Shape;
import io.basin.nn.Nets;
import io.basin.train.Model;
import java.io.File;
import java.util.Arrays;

/** Saves a net at first; started again, in a new process, a weights file is enough to predict one image and a batch. */
public final class SaveAndLoad {
    public static void main(String[] args) {
        File file = new File(args[0]);
        Augmentation reading = new Augmentation(0, false, new float[] {0.5f}, new float[] {0.25f});
        try (Device device = Devices.best();
                Model model = file.exists()
                        ? Model.load(device, file.toPath())
                        : new Model(device, Nets.build("mlp", Shape.of(1, 8, 8), 3)).reading(reading)) {
            System.out.println(Arrays.toString(model.predict(Samples.images()[0])));
            System.out.println(Arrays.deepToString(model.predict(Samples.images())));
            if (!file.exists()) model.save(file.toPath());
        }
    }
}
