package io.basin.examples;

import io.basin.data.Dataset;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Nets;
import io.basin.train.Model;
import io.basin.train.Training;

/** A loop of one's own: loss, a layer's gradient, clipping, rate and average of every step. */
public final class OwnLoop {
    public static void main(String[] args) {
        Dataset data = Dataset.of(Samples.points(), Samples.quadrants(Samples.points()));
        BatchReader reader = new BatchReader(20, data.augmentation(0, false), 1, true);
        Schedule rates = Schedule.constant(600, 0.05);
        try (Device device = Devices.best();
                Images images = data.upload(device);
                Model model = new Model(device, Nets.mlp(Shape.of(2), 2, 32)).reading(reader.augmentation());
                Training training = new Training(model, images, reader, new Sgd(), rates, Averaging.none(600))) {
            for (int t = 0; t < 600; t++) {
                double loss = training.gradients();
                double layer = Samples.norm(model.gradient("fc1.weight"));
                if (t >= 500) training.nextRate(0.02); // the schedule's else
                if (t >= 500) training.nextAverage(1.0 / (t - 499)); // the mean of the last 100
                System.out.printf("loss %.3f, gradient %.3f, of fc1 %.3f%n", loss, training.clipGradients(1), layer);
                training.update();
            }
            double right = model.on(images).evaluate(model.store().averaged()).accuracy();
            System.out.printf("accuracy %.2f%n", right);
        }
    }
}
