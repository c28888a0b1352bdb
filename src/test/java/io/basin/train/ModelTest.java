package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.AdamW;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Optimizer;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.device.UpdateRule;
import io.basin.device.Weights;
import io.basin.io.FormatException;
import io.basin.methods.Averaging;
import io.basin.methods.Budget;
import io.basin.methods.Methods;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** A net with its memory: weights by name, evaluation before and after training, files, predictions. */
class ModelTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final Dataset SET = SyntheticSet.synthetic(150, 9, 9, 2, 3, 7);
    private static final BatchReader READER = new BatchReader(16, SET.augmentation(1, true), 5, true);

    @TempDir
    Path folder;

    /** A net that files name by its class. */
    public static final class Own implements Supplier<Graph> {
        @Override
        public Graph get() {
            return KillableRun.net();
        }
    }

    private static Training training(Model model, Images images, Optimizer optimizer, int steps) {
        return new Training(model, images, READER, optimizer, Schedule.constant(steps, 0.01), Averaging.tail(steps, 0));
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void gradientsByNameAreWhatPlainDescentMovesWeightsBy(Subject subject) {
        try (Device device = subject.open();
                Images images = SET.upload(device);
                Model model = new Model(device, KillableRun.net());
                Training training = training(model, images, new Sgd(0, 0, false), 2)) {
            for (String name : List.of("conv1.weight", "norm1.weight", "dense2.bias")) {
                assertThrows(IllegalArgumentException.class, () -> model.gradient(name + "s"));
            }
            float[] before = model.read("dense2.weight");
            assertTrue(training.gradients() > 0.5);
            float[] gradient = model.gradient("dense2.weight");
            training.update();
            float[] after = model.read("dense2.weight");
            double moved = 0;
            for (int i = 0; i < before.length; i++) {
                assertEquals(before[i] - 0.01f * gradient[i], after[i], 1e-7);
                moved += Math.abs(after[i] - before[i]);
            }
            assertTrue(moved > 0);
            training.gradients();
            float[] whole = model.gradient("conv1.weight");
            double norm = training.clipGradients(Double.POSITIVE_INFINITY);
            assertEquals(norm, training.clipGradients(norm / 4), 1e-6 * norm);
            assertEquals(norm / 4, training.clipGradients(Double.POSITIVE_INFINITY), 1e-5 * norm);
            float[] clipped = model.gradient("conv1.weight");
            for (int i = 0; i < whole.length; i++) assertEquals(whole[i] / 4, clipped[i], 1e-6 * Math.abs(whole[i]));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aLoopOfOnesOwnHasTheBitsOfTheRecordedStep(Subject subject) {
        try (Device device = subject.open();
                Images images = SET.upload(device);
                Model a = new Model(device, KillableRun.net());
                Model b = new Model(device, KillableRun.net());
                Training recorded = training(a, images, new Sgd(0.9, 1e-4, true), 6);
                Training own = training(b, images, new Sgd(0.9, 1e-4, true), 6)) {
            for (int i = 0; i < 6; i++) {
                recorded.advance();
                own.gradients();
                own.update();
            }
            assertThrows(IllegalStateException.class, own::gradients);
            for (String name : a.graph().tensorNames()) assertArrayEquals(a.read(name), b.read(name), name);
        }
    }

    /** What training needs is added to the memory of a model that was evaluated before; its weights stay. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aModelThatWasEvaluatedOrTrainedGoesOnFromItsWeights(Subject subject) {
        try (Device device = subject.open()) {
            try (Images images = SET.upload(device);
                    Model model = new Model(device, KillableRun.net()).initialise(3)) {
                model.reading(READER.augmentation());
                double untrained = model.on(images).evaluate(model.weights()).meanLoss();
                float[] first = model.read("conv1.weight");
                try (Training training = training(model, images, new Sgd(0.9, 0, false), 40)) {
                    assertArrayEquals(first, model.read("conv1.weight"));
                    while (training.step() < 40) training.advance();
                }
                double trained = model.on(images).evaluate(model.weights()).meanLoss();
                assertTrue(trained < untrained, trained + " after " + untrained);
                try (Training again = training(model, images, new AdamW(0.9, 0.999, 1e-8, 0), 5)) {
                    again.advance();
                    assertEquals(model.read("conv1.weight").length, first.length);
                    // The first average is a copy, which it only is of an average that began at 0.
                    float[] average = model.store().read(device, model.store().averaged(), "conv1.weight");
                    assertArrayEquals(model.read("conv1.weight"), average);
                }
            }
            assertEquals(0, device.liveBytes());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void predictionsAreThoseOfAnEvaluationHoweverManyAreAskedFor(Subject subject) {
        Dataset grey = SyntheticSet.synthetic(131, 6, 6, 1, 4, 3);
        byte[][] each = new byte[131][];
        for (int i = 0; i < each.length; i++) each[i] = Arrays.copyOfRange(grey.pixels(), 36 * i, 36 * (i + 1));
        try (Device device = subject.open();
                Images images = grey.upload(device);
                Model model = new Model(device, Nets.mlp(Shape.of(1, 6, 6), 4, 8)).initialise(1)) {
            assertThrows(IllegalStateException.class, () -> model.predict(each[0]));
            model.reading(grey.augmentation(0, false));
            float[][] all = model.predict(each);
            model.on(images).predict(List.of(model.weights()), (member, row, rows, p) -> {
                for (int i = 0; i < rows; i++) {
                    float[] expected = Arrays.copyOfRange(p, 4 * i, 4 * i + 4);
                    assertArrayEquals(expected, all[row + i], 1e-6f);
                    assertArrayEquals(expected, model.predict(each[row + i]), 1e-6f);
                }
            });
            assertTrue(assertThrows(IllegalArgumentException.class, () -> model.predict(new byte[35]))
                    .getMessage()
                    .contains("sample 0 has 35 values, the net takes 36"));
        }
    }

    /** A ReLU turns NaN into 0, so that the loss stays finite. */
    @Test
    void aWeightThatIsNoLongerFiniteEndsAFit() {
        UpdateRule breaking = new UpdateRule() {
            @Override
            public String name() {
                return "breaking";
            }

            @Override
            public int moments() {
                return 0;
            }

            @Override
            public void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c) {
                w[0] = Float.NaN;
            }

            @Override
            public String cuda() {
                return "w = 0.0f / 0.0f;";
            }
        };
        try (Device device = Devices.open("cpu", 1);
                Splits splits = splits(device);
                Model model = new Model(device, Nets.mlp(Shape.of(1, 8, 8), 4, 8))) {
            assertThrows(
                    DivergedException.class,
                    () -> model.fit(splits, Methods.sgd(), new Budget(1, 0.05), breaking, 1, epoch -> {}));
            assertThrows(
                    NullPointerException.class,
                    () -> model.fit(splits, Methods.sgd(), new Budget(1, 0.05), new Sgd(), 1, null));
        }
    }

    @Test
    void aStepIsUpdatedOnlyAfterItsGradients() {
        try (Device device = Devices.open("cpu", 1);
                Splits splits = splits(device);
                Model model = new Model(device, normed());
                Training training = training(model, splits, Averaging.none(8))) {
            assertThrows(IllegalStateException.class, training::update);
            assertThrows(IllegalStateException.class, () -> training.clipGradients(1));
            training.gradients();
            training.clipGradients(1);
            training.update();
            assertThrows(IllegalStateException.class, training::update);
            training.advance();
            assertEquals(2, training.step());
        }
    }

    /** Nothing but a measurement gives an average batch-norm statistics: with those of 0 it would predict nonsense. */
    @Test
    void anAverageIsNotEvaluatedBeforeItsStatisticsAreMeasured() {
        try (Device device = Devices.open("cpu", 1);
                Splits splits = splits(device);
                Model model = new Model(device, normed());
                Training training = training(model, splits, Averaging.tail(8, 4))) {
            while (training.step() < training.steps()) training.advance();
            Weights average = model.store().averaged();
            Evaluator onTest = model.on(splits, Splits.Part.TEST);
            String said = assertThrows(IllegalStateException.class, () -> onTest.evaluate(average))
                    .getMessage();
            assertTrue(said.contains("statistics were never measured"), said);
            assertThrows(IllegalStateException.class, () -> onTest.predict(List.of(average), (m, row, rows, p) -> {}));
            assertTrue(onTest.evaluate(model.weights()).accuracy() >= 0);
            Evaluator onTrain = model.evaluator(splits.train(), splits.augmentedBatch());
            onTrain.refresh(average, Evaluator.Refresh.EXACT, pass -> {});
            assertTrue(onTest.evaluate(average).accuracy() > 0.25);
        }
    }

    private static Splits splits(Device device) {
        return new Splits(device, SyntheticSet.trainTest(100, 20, 8, 8, 1, 4, 1), 20, 20);
    }

    private static Training training(Model model, Splits splits, Averaging averaging) {
        return new Training(model, splits.train(), splits.reader(1), new Sgd(), Schedule.constant(8, 0.05), averaging);
    }

    private static Graph normed() {
        Graph net = new Graph(Shape.of(1, 8, 8));
        net.dense(net.batchNormRelu(net.conv(net.input(), 4, 3)), 4);
        return net;
    }

    @Test
    void wrongNamesAndLengthsAreRefusedWithTheRightOnes() {
        try (Device device = Devices.open("cpu", 1);
                Model model = new Model(device, KillableRun.net())) {
            String no = assertThrows(IllegalArgumentException.class, () -> model.read("conv1.weigth"))
                    .getMessage();
            assertTrue(no.contains("did you mean 'conv1.weight'?"), no);
            no = assertThrows(IllegalArgumentException.class, () -> model.write("norm1.running_mean", new float[7]))
                    .getMessage();
            assertTrue(no.contains("norm1.running_mean has 8 values, (8), got 7"), no);
            float[] mean = {1, 2, 3, 4, 5, 6, 7, 8};
            model.write("norm1.running_mean", mean);
            assertArrayEquals(mean, model.read("norm1.running_mean"));
            assertThrows(IllegalStateException.class, () -> model.gradient("conv1.weight"));
        }
    }

    @Test
    void aFileNamesTheClassThatBuildsItsNetOrNeedsTheNet() {
        Path named = folder.resolve("named.safetensors");
        Path unnamed = folder.resolve("unnamed.safetensors");
        try (Device device = Devices.open("cpu", 1);
                Model own = new Model(device, new Own());
                Model other = new Model(device, KillableRun.net())) {
            own.described(ModelCard.NONE.reading(READER.augmentation()), List.of("a", "b", "c"))
                    .save(named);
            other.save(unnamed);
            float[] sample = new float[162];
            try (Model again = Model.load(device, named)) {
                assertEquals(List.of("a", "b", "c"), again.classNames());
                assertArrayEquals(own.predict(sample), again.predict(sample));
            }
            String no = assertThrows(FormatException.class, () -> Model.load(device, unnamed))
                    .getMessage();
            assertTrue(no.contains("does not say how its net is built"), no);
            Model.load(device, unnamed, KillableRun.net()).close();
            Graph wrong = Nets.mlp(Shape.of(2, 9, 9), 3, 4);
            assertThrows(FormatException.class, () -> Model.load(device, unnamed, wrong));
        }
    }

    @Test
    void aLossIsRefusedWhereTheDataHaveOtherAnswers() {
        try (Device device = Devices.open("cpu", 1);
                Images images = SET.upload(device);
                Model model = new Model(device, KillableRun.net(), Loss.squaredError(), Precision.FP32)) {
            String no = assertThrows(
                            IllegalArgumentException.class, () -> training(model, images, new Sgd(0, 0, false), 1))
                    .getMessage();
            assertTrue(no.contains("needs float targets, the data set has class labels"), no);
        }
    }

    /** Both of its arrays of state are in the checkpoint. */
    @ParameterizedTest
    @MethodSource(ALL)
    void anAdamWRunThatWasCutOffGoesOnBitForBit(Subject subject) throws Exception {
        Path whole = Files.createDirectory(folder.resolve("whole"));
        Path cut = Files.createDirectory(folder.resolve("cut"));
        run(subject, whole, Integer.MAX_VALUE);
        assertThrows(IllegalStateException.class, () -> run(subject, cut, 11));
        assertFalse(Arrays.equals(checkpoint(whole), checkpoint(cut)));
        run(subject, cut, Integer.MAX_VALUE);
        assertArrayEquals(checkpoint(whole), checkpoint(cut));
    }

    private static byte[] checkpoint(Path folder) throws Exception {
        return Files.readAllBytes(Trainer.checkpoint(folder));
    }

    private static void run(Subject subject, Path folder, int until) {
        try (Device device = subject.open();
                Images images = SET.upload(device);
                Model model = new Model(device, KillableRun.net());
                Training training = training(model, images, new AdamW(0.9, 0.999, 1e-8, 0.01), 18)) {
            Trainer.Listener cut = new Trainer.Listener() {
                @Override
                public void onStep(int step) {
                    if (step == until) throw new IllegalStateException("cut");
                }
            };
            Schedule schedule = Schedule.constant(18, 0.01);
            new Trainer(training, 9, folder, 4, Map.of(Trainer.RUN, "adamw"), false, cut).run();
        }
    }
}
