package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.cuda.Cuda;
import io.basin.cuda.SoftGpu;
import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Distortion;
import io.basin.device.EpochMetrics;
import io.basin.device.Images;
import io.basin.device.Subject;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Samples that stream from the host train and measure to the bits of samples that lie on the device. */
class StreamingTest {
    private static final String ALL = "io.basin.device.Subject#all";
    /** Ten batches of 16 an epoch, five samples over: in blocks of two steps. */
    private static final Dataset SET = SyntheticSet.synthetic(165, 9, 9, 2, 3, 7);

    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    private static Images images(Device device, Dataset set, boolean streams) {
        return streams ? set.stream(device) : set.upload(device);
    }

    private static Training training(Device device, Images images, Distortion distortion) {
        return Sessions.session(
                device,
                KillableRun.net(),
                images,
                KillableRun.settings(),
                Schedule.constant(30, 0.01),
                Averaging.none(30),
                5,
                SET.augmentation(1, true).with(distortion));
    }

    private static byte[] train(Subject subject, boolean streams, Distortion distortion, Path folder, int... stops)
            throws Exception {
        Files.createDirectories(folder);
        for (int stop : stops) {
            Trainer.Listener listener = new Trainer.Listener() {
                @Override
                public void onStep(int step) {
                    if (step == stop) throw new Stop();
                }
            };
            try (Device device = subject.open();
                    Images images = images(device, SET, streams);
                    Training training = training(device, images, distortion)) {
                Trainer trainer = new Trainer(training, 10, folder, 5, Map.of(Trainer.RUN, "r"), false, listener);
                if (stop <= training.steps()) assertThrows(Stop.class, trainer::run);
                else trainer.run();
            }
        }
        return Files.readAllBytes(Trainer.checkpoint(folder));
    }

    /** Step 15, from which the last run goes on, is the second of its block. */
    @ParameterizedTest
    @MethodSource(ALL)
    void threeEpochsWithCropsEndWithTheSameBitsAlsoResumedAmidABlock(Subject subject, @TempDir Path folder)
            throws Exception {
        for (Distortion d : new Distortion[] {Distortion.NONE, new Distortion(0.4, 3, 0.3)}) {
            String name = "mixup " + d.mixup();
            byte[] expected = train(subject, false, d, folder.resolve(name + " lies"), 100);
            assertArrayEquals(expected, train(subject, true, d, folder.resolve(name + " streams"), 100));
            assertArrayEquals(expected, train(subject, true, d, folder.resolve(name + " resumed"), 3, 16, 100));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theHalvesOfAStepDrawTheSameSamples(Subject subject) {
        List<Double> losses = new ArrayList<>();
        for (boolean streams : new boolean[] {false, true}) {
            try (Device device = subject.open();
                    Images images = images(device, SET, streams);
                    Training training = training(device, images, Distortion.NONE)) {
                for (int i = 0; i < 7; i++) {
                    losses.add(training.gradients());
                    training.update();
                }
            }
        }
        assertEquals(losses.subList(0, 7), losses.subList(7, 14));
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void evaluationAndStatisticsAreTheSame(Subject subject) {
        List<List<Object>> figures = new ArrayList<>();
        for (boolean streams : new boolean[] {false, true}) {
            try (Device device = subject.open();
                    Images images = images(device, SET, streams);
                    Model model = new Model(device, KillableRun.net()).initialise(3)) {
                BatchReader reader = new BatchReader(7, SET.augmentation(0, false), 0, false);
                Evaluator evaluator = model.evaluator(images, reader);
                List<Object> all = new ArrayList<>();
                for (Evaluator.Refresh how : Evaluator.Refresh.values()) {
                    evaluator.refresh(model.weights(), how, pass -> {});
                    EpochMetrics first = evaluator.evaluate(model.weights());
                    assertEquals(first, evaluator.evaluate(model.weights()));
                    all.add(first);
                }
                evaluator.predict(List.of(model.weights()), (member, row, rows, p) -> {
                    for (float v : p) all.add(v);
                });
                Evaluator whole = model.evaluator(images, reader.withBatch(SET.count()));
                all.add(whole.settle(model.weights()));
                figures.add(all);
            }
        }
        assertEquals(figures.get(0), figures.get(1));
    }

    @Test
    void thePrefetchWaitsOnceInABlockAtMostAndMovesEachSampleOnce() {
        if (!Cuda.software()) return;
        Dataset set = SyntheticSet.synthetic(800, 9, 9, 2, 3, 7);
        Schedule schedule = Schedule.constant(200, 0.01);
        try (Device device = Devices.open("cuda", 1);
                Images images = set.stream(device);
                Training training = Sessions.session(
                        device,
                        KillableRun.net(),
                        images,
                        KillableRun.settings(),
                        schedule,
                        Averaging.none(200),
                        5,
                        set.augmentation(1, true))) {
            training.advance();
            int each = 12; // steps of a block: a quarter of the 50 batches of an epoch
            SoftGpu.reset();
            for (int i = 1; i < 10 * each; i++) training.advance();
            long waits = SoftGpu.counter("syncs");
            assertTrue(waits <= 9, waits + " waits in 10 blocks");
            assertEquals(waits, SoftGpu.counter("calls:cuEventSynchronize"), "waits for more than a copy");
            assertEquals(9L * each * 16 * (9 * 9 * 2 + 4), SoftGpu.counter("bytes_htod"));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aPartThatIsLargerThanAllowedStreamsAndEndsWithTheSameModel(Subject subject) {
        Dataset test = SyntheticSet.synthetic(40, 9, 9, 2, 3, 7);
        TrainTest data = new TrainTest("synthetic", SET, null, test);
        List<Object> figures = new ArrayList<>();
        for (long most : new long[] {-1, 15_000}) {
            try (Device device = subject.open();
                    Splits splits = new Splits(device, data, new Settings.Data(16, 1, true, 0, 0));
                    Model model = new Model(device, KillableRun.net())) {
                if (most >= 0) splits.holding(most);
                assertEquals(most >= 0, splits.streams(Splits.Part.TRAIN));
                assertEquals(false, splits.streams(Splits.Part.TEST));
                model.fit(
                        splits,
                        KillableRun.asked(2).methods().named("swa"),
                        KillableRun.asked(2).budget(),
                        3);
                figures.add(model.test(splits));
            }
        }
        assertEquals(figures.get(0), figures.get(1));
    }
}
