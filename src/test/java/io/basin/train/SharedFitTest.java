package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Sgd;
import io.basin.methods.Averaging;
import io.basin.methods.Budget;
import io.basin.methods.Methods;
import io.basin.methods.Schedule;
import java.nio.file.Path;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** While one thread trains a model, others read it or are refused by name; what lies on another device always is. */
@Timeout(value = 60, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class SharedFitTest {
    private static final TrainTest DATA = SyntheticSet.trainTest(96, 48, 9, 9, 2, 3, 7);
    private static final Dataset SET = DATA.train();

    @TempDir
    Path folder;

    private final Device device = Devices.open("cpu", 1);
    private final Splits splits = splits(device);
    private final Model model = new Model(device, KillableRun.net());

    private static Splits splits(Device device) {
        return new Splits(device, DATA, 16, 16);
    }

    @AfterEach
    void close() {
        model.close();
        splits.close();
        device.close();
    }

    private float[] fit(long seed, Consumer<Trainer.Epoch> listener) {
        model.initialise(seed);
        model.fit(splits, Methods.swa(0.5, 0.01), new Budget(4, 0.05), new Sgd(), seed, listener);
        return model.read("conv1.weight");
    }

    /** Runs in another thread when the first epoch has ended, and the training waits for it; what it throws. */
    private String meanwhile(Runnable other) {
        float[] alone = fit(3, epoch -> {});
        CountDownLatch once = new CountDownLatch(1);
        String[] said = {""};
        float[] shared = fit(3, epoch -> {
            if (once.getCount() == 0) return;
            once.countDown();
            try {
                CompletableFuture.runAsync(other, task -> new Thread(task).start())
                        .join();
            } catch (CompletionException e) {
                said[0] = e.getCause().getMessage();
            }
        });
        assertArrayEquals(alone, shared, "the training has the bits that it has alone");
        return said[0];
    }

    @Test
    void aSecondTrainingIsRefusedAndTheFirstHasItsBits() {
        String said = meanwhile(() -> model.fit(splits, Methods.sgd(), new Budget(1, 0.05), 9));
        assertTrue(said.startsWith("the model is being trained by the thread '"), said);
    }

    @Test
    void whatWouldChangeTheWeightsIsRefused() {
        fit(1, epoch -> {});
        Path file = folder.resolve("w.safetensors");
        model.save(file);
        float[] values = model.read("conv1.weight");
        for (Runnable change : new Runnable[] {
            () -> model.load(file), () -> model.initialise(5), () -> model.write("conv1.weight", values)
        }) {
            String said = meanwhile(change);
            assertTrue(said.contains("no other thread may change it"), said);
        }
    }

    @Test
    void predictionsMeanwhileAreAnsweredAndDisturbNothing() {
        float[] sample = new float[162];
        fit(1, epoch -> {});
        assertEquals("", meanwhile(() -> model.predict(sample)));
        assertEquals("", meanwhile(() -> model.test(splits)));
    }

    @Test
    void twoTrainingsOfOneModelAreRefusedAndOneAfterTheOtherIsNot() {
        try (Images images = SET.upload(device)) {
            training(images).close();
            try (Training first = training(images)) {
                first.advance();
                String said = assertThrows(IllegalStateException.class, () -> training(images))
                        .getMessage();
                assertTrue(said.contains("close that Training"), said);
                first.advance();
            }
            training(images).close();
        }
    }

    private Training training(Images images) {
        return new Training(
                model, images, splits.reader(1), new Sgd(), Schedule.constant(2, 0.01), Averaging.tail(2, 0));
    }

    @Test
    void samplesOfAnotherDeviceAreRefused() {
        fit(1, epoch -> {});
        try (Device other = Devices.open("cpu", 2);
                Splits there = splits(other);
                Images images = SET.upload(other)) {
            String said = assertThrows(IllegalArgumentException.class, () -> model.test(there))
                    .getMessage();
            assertTrue(said.contains("`splits` lies on another device"), said);
            said = assertThrows(IllegalArgumentException.class, () -> model.on(images))
                    .getMessage();
            assertTrue(said.contains("the samples lie on another device"), said);
            said = assertThrows(IllegalArgumentException.class, () -> training(images))
                    .getMessage();
            assertTrue(said.contains("the samples lie on another device"), said);
        }
    }

    @Test
    void aSampleThatIsNotFiniteIsRefusedByItsPlace() {
        fit(1, epoch -> {});
        float[][] samples = new float[2][162];
        for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY}) {
            samples[1][5] = odd;
            String said = assertThrows(IllegalArgumentException.class, () -> model.predict(samples))
                    .getMessage();
            assertTrue(said.startsWith("value 5 of sample 1 is " + odd), said);
        }
    }
}
