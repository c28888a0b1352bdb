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
import java.util.Arrays;
import java.util.List;

/** Trains on pictures of one's own, as bytes with names for their classes and a normalisation of one's own. */
public final class OwnPictures {
    public static void main(String[] args) {
        int[] labels = Samples.quadrants(Samples.points());
        byte[] pixels = Samples.pictures(labels);
        Dataset data = Dataset.of(pixels, labels, Shape.of(1, 8, 8), List.of("row", "column"))
                .normalised(new float[] {0.5f}, new float[] {0.25f}); // of pixels divided by 255
        try (Device device = Devices.best();
                Splits splits = new Splits(device, TrainTest.of(data, 100), 100, 20);
                Model model = new Model(device, Nets.mlp(data.sample(), 2, 32))) {
            model.fit(splits, Methods.sgd(), new Budget(10, 0.05), 1);
            float[] p = model.predict(Arrays.copyOf(pixels, 64));
            System.out.println(model.classNames().get(Model.likeliest(p)));
            System.out.printf("accuracy %.2f%n", model.test(splits).accuracy());
        }
    }
}
