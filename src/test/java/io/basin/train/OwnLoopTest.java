package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.data.TrainTest;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.methods.Averaging;
import io.basin.methods.Budget;
import io.basin.methods.Methods;
import io.basin.methods.Schedule;
import io.basin.nn.Nets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A loop of one's own: what it says step by step, and what is refused before it does harm. */
class OwnLoopTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final Dataset SET = SyntheticSet.synthetic(150, 9, 9, 2, 3, 7);
    private static final BatchReader READER = new BatchReader(16, SET.augmentation(1, true), 5, true);
    private static final double[] RATES = {0.01, 0.03, 0, 0.02, 1e-5, 0.04};
    private static final double[] ALPHAS = {0, 1, 0.5, 0, 0.25, 1};

    @TempDir
    Path folder;

    private static Training training(Model model, Images images, double[] rates, Averaging averaging) {
        return new Training(model, images, READER, new Sgd(0.9, 1e-4, true), Schedule.of("own", rates), averaging);
    }

    private static String refused(Executable call) {
        return assertThrows(IllegalArgumentException.class, call).getMessage();
    }

    /** In halves or whole, for a recorded step reads the same tables. */
    @ParameterizedTest
    @MethodSource(ALL)
    void ratesAndAveragesSaidStepByStepHaveTheBitsOfTables(Subject subject) {
        try (Device device = subject.open();
                Images images = SET.upload(device);
                Model a = new Model(device, KillableRun.net());
                Model b = new Model(device, KillableRun.net());
                Training tables = training(a, images, RATES, Averaging.of(ALPHAS));
                Training said = training(b, images, new double[6], Averaging.none(6))) {
            for (int i = 0; i < 6; i++) {
                tables.advance();
                said.nextRate(RATES[i]);
                said.nextAverage(ALPHAS[i]);
                if (i % 2 == 0) said.gradients();
                if (i % 2 == 0) said.update();
                else said.advance();
                for (String name : a.graph().tensorNames()) {
                    assertArrayEquals(a.read(name), b.read(name), name);
                    assertArrayEquals(
                            a.store().read(device, a.store().averaged(), name),
                            b.store().read(device, b.store().averaged(), name),
                            "average of " + name);
                }
            }
            assertEquals(0.03f, (float) said.rate(1));
            assertThrows(IllegalStateException.class, () -> said.nextRate(0.1));
            assertTrue(said.follows(Schedule.of("own", RATES), Averaging.of(ALPHAS)));
            assertFalse(said.follows(Schedule.of("own", new double[6]), Averaging.none(6)));
        }
    }

    @Test
    void limitsRatesAndAveragesThatAreNoNumbersAreRefused() {
        try (Device device = Devices.open("cpu", 1);
                Images images = SET.upload(device);
                Model model = new Model(device, KillableRun.net())) {
            try (Training training = training(model, images, RATES, Averaging.none(6))) {
                training.gradients();
                for (double most : new double[] {Double.NaN, -1, 0}) {
                    assertTrue(refused(() -> training.clipGradients(most)).startsWith("`most` must be above 0"));
                }
                for (double lr : new double[] {Double.NaN, -1, 1e300}) {
                    assertTrue(refused(() -> training.nextRate(lr)).startsWith("`lr` must not be negative"));
                }
                for (double alpha : new double[] {Double.NaN, -1, 1.5, 0.5}) {
                    assertTrue(
                            refused(() -> training.nextAverage(alpha)).contains("its first that is not 0 must be 1"));
                }
                training.driven(() -> {
                    Thread other =
                            new Thread(() -> assertThrows(IllegalStateException.class, () -> training.nextRate(1)));
                    Throwable[] wrong = new Throwable[1];
                    other.setUncaughtExceptionHandler((t, e) -> wrong[0] = e);
                    other.start();
                    try {
                        other.join();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                    assertEquals(null, wrong[0]);
                });
            }
            try (Training tables = training(model, images, RATES, Averaging.of(ALPHAS))) {
                assertThrows(IllegalStateException.class, () -> tables.nextAverage(1));
            }
        }
    }

    /** Also where samples stream, and where the net is only measured. */
    @ParameterizedTest
    @ValueSource(floats = {1.5f, -0.25f})
    void binaryCrossEntropyRefusesTargetsThatAreNoProbabilities(float bad) {
        float[][] x = {{1, 2}, {2, 1}, {0, 1}};
        Dataset data = Dataset.of(x, new float[][] {{0, 1}, {1, 0.5f}, {1, bad}});
        BatchReader reader = new BatchReader(2, data.augmentation(0, false), 1, true);
        try (Device device = Devices.open("cpu", 1);
                Images images = data.upload(device);
                Images streaming = data.stream(device);
                Model model =
                        new Model(device, Nets.mlp(Shape.of(2), 2, 4), Loss.binaryCrossEntropy(), Precision.FP32)) {
            model.reading(reader.augmentation());
            for (Executable call : List.<Executable>of(
                    () -> new Training(model, images, reader, new Sgd(), Schedule.constant(2, 0.1), Averaging.none(2)),
                    () -> model.on(images),
                    () -> Plan.evaluation(model, streaming, new RunState(device), reader.plain()))) {
                String no = refused(call);
                assertTrue(no.contains("target 1 of sample 2"), no);
                assertTrue(no.endsWith("is " + bad), no);
            }
            assertEquals(2, model.predict(x[0]).length);
        }
    }

    /** Whether the net was trained here or comes from a file; of floats any finite number is one. */
    @Test
    void aNetOfBytesTakesFloatsFromZeroToOne() {
        float[] in = {0, 1, 0.5f, 0.25f};
        Dataset bytes =
                Dataset.of(new byte[] {0, 1, 2, 3, 4, 5, 6, -1}, new int[] {0, 1}, Shape.of(4), List.of("a", "b"));
        Dataset floats = Dataset.of(new float[][] {in, {1, 2, 3, 4}}, new int[] {0, 1});
        Path file = folder.resolve("net.safetensors");
        try (Device device = Devices.open("cpu", 1);
                Splits pixels = new Splits(device, new TrainTest(bytes, bytes), 0, 2);
                Splits numbers = new Splits(device, new TrainTest(floats, floats), 0, 2);
                Model model = new Model(device, Nets.build("mlp", Shape.of(4), 2));
                Model other = new Model(device, Nets.build("mlp", Shape.of(4), 2))) {
            model.fit(pixels, Methods.sgd(), new Budget(1, 0.05), 1);
            model.save(file);
            try (Model again = Model.load(device, file)) {
                for (Model net : List.of(model, again)) {
                    assertArrayEquals(
                            net.predict(new byte[] {0, -1, 0, 51}), net.predict(new float[] {0, 1, 0, 0.2f}), 1e-5f);
                    String no = refused(() -> net.predict(new float[][] {in, {0, 1, 255, -3}}));
                    assertTrue(no.startsWith("value 2 of sample 1 is 255.0, and the net takes floats from 0 to 1"), no);
                    assertTrue(refused(() -> net.predict(new float[] {0, 0, 0, Float.NaN}))
                            .contains("is NaN"));
                }
            }
            other.fit(numbers, Methods.sgd(), new Budget(1, 0.05), 1);
            assertEquals(2, other.predict(new float[] {0, 255, -3, 1e6f}).length);
        }
    }
}
