package io.basin.train;

import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;

/** Trainings with a model of their own, as settings say. */
final class Sessions {
    private Sessions() {}

    static Training session(
            Device device,
            Graph net,
            Images images,
            Settings s,
            Schedule schedule,
            Averaging averaging,
            long seed,
            Augmentation augmentation) {
        Model model = new Model(device, net, Loss.crossEntropy(s.smoothing()), s.precision(), s.decayEverything());
        try {
            BatchReader reader = new BatchReader(s.data().batch(), augmentation, seed, true);
            return new Training(model, images, reader, s.optimizer(), schedule, averaging).closingModel();
        } catch (RuntimeException e) {
            model.close();
            throw e;
        }
    }
}
