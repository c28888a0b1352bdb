package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.basin.cuda.Cuda;
import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.AdamW;
import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Distortion;
import io.basin.device.Images;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Runs go on with the bits of one that was never stopped: by an optimizer with two arrays of state, and on mixed samples. */
class OptimizerResumeTest {
    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    @Test
    void bothOfAdamsMomentsComeBack(@TempDir Path folder) throws Exception {
        goesOn(folder, "cpu", Distortion.NONE);
    }

    @Test
    void mixedSamplesComeBack(@TempDir Path folder) throws Exception {
        goesOn(folder, "cpu", new Distortion(0.4, 3, 0.2));
    }

    @Test
    void mixedSamplesComeBackOnTheGpu(@TempDir Path folder) throws Exception {
        if (Cuda.works()) goesOn(folder, "cuda", new Distortion(0.4, 3, 0.2));
    }

    private static void goesOn(Path folder, String device, Distortion distortion) throws Exception {
        Path whole = Files.createDirectory(folder.resolve("whole"));
        Path stopped = Files.createDirectory(folder.resolve("stopped"));
        train(whole, 100, device, distortion);
        assertThrows(Stop.class, () -> train(stopped, 13, device, distortion));
        train(stopped, 100, device, distortion);
        assertArrayEquals(
                Files.readAllBytes(Trainer.checkpoint(whole)), Files.readAllBytes(Trainer.checkpoint(stopped)));
    }

    private static void train(Path folder, int stop, String on, Distortion distortion) {
        Dataset set = SyntheticSet.synthetic(165, 9, 9, 2, 3, 7);
        Settings settings = KillableRun.settings().with(new AdamW(0.01));
        Schedule schedule = Schedule.constant(20, 0.01);
        Averaging none = Averaging.none(20);
        Trainer.Listener listener = new Trainer.Listener() {
            @Override
            public void onStep(int step) {
                if (step == stop) throw new Stop();
            }
        };
        Augmentation augmentation = set.augmentation(1, true).with(distortion);
        try (Device device = Devices.open(on, 1);
                Images images = set.upload(device);
                Training training = Sessions.session(
                        device, KillableRun.net(), images, settings, schedule, none, 5, augmentation)) {
            Map<String, String> about = Map.of(Trainer.RUN, settings.identity());
            new Trainer(training, 10, folder, 4, about, false, listener).run();
        }
    }
}
