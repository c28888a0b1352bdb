package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.basin.device.Close;
import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.Subject;
import io.basin.train.Evaluator;
import io.basin.train.Model;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One pass over the whole set at once says what exact passes in batches say, and says it again for the next net. */
class PointEvaluatorTest {
    private static final String ALL = "io.basin.device.Subject#all";

    @TempDir
    Path folder;

    /** LossAndError and batch-norm statistics of two nets, the first one measured again after the second. */
    private record Found(LossAndError[] figures, float[][] state) {
        static Found on(Landscape land, Supplier<LandscapeData> make, Net... nets) {
            try (LandscapeData data = make.get();
                    Model model = new Model(land.device, Landscape.graph());
                    PointEvaluator evaluator = data.evaluator(model)) {
                LossAndError[] figures = new LossAndError[nets.length];
                float[][] state = new float[nets.length][];
                for (int i = 0; i < nets.length; i++) {
                    evaluator.read(nets[i].file());
                    figures[i] = evaluator.measure(model.weights());
                    state[i] = Vectors.read(land.device, model.weights().state());
                }
                return new Found(figures, state);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void onePassOverTheWholeSetGivesTheExactStatisticsAndTheirLoss(Subject subject) {
        try (Device device = subject.open()) {
            try (Landscape land = new Landscape(device)) {
                Net a = land.net(folder, "a", 1);
                Net b = land.net(folder, "b", 2);
                for (int[] counts : new int[][] {{0, 0}, {30, 30}, {0, 30}}) {
                    Found exact = Found.on(land, () -> land.data(counts[0], counts[1], "exact"), a, b, a);
                    Found whole = Found.on(land, () -> land.whole(counts[0], counts[1]), a, b, a);
                    for (int i = 0; i < 3; i++) {
                        Close.GRADIENT.check("state", exact.state()[i], whole.state()[i]);
                        assertEquals(exact.figures()[i].trainLoss(), whole.figures()[i].trainLoss(), 1e-5);
                        assertEquals(exact.figures()[i].testLoss(), whole.figures()[i].testLoss(), 1e-5);
                    }
                    assertEquals(whole.figures()[0], whole.figures()[2]);
                    assertArrayEquals(whole.state()[0], whole.state()[2]);
                    assertNotEquals(whole.figures()[0], whole.figures()[1]);
                }
            }
            assertEquals(0, device.liveBytes());
        }
    }

    /** A part for the statistics is another set than the whole, and what it finds differs. */
    @ParameterizedTest
    @MethodSource(ALL)
    void statisticsFromFewerSamplesAreOtherOnesAndTheSameAtEveryPoint(Subject subject) {
        try (Device device = subject.open();
                Landscape land = new Landscape(device)) {
            Net a = land.net(folder, "a", 1);
            Found all = Found.on(land, () -> land.data(0, 0, "exact"), a, a);
            Found few = Found.on(land, () -> land.data(0, 30, "exact"), a, a);
            assertNotEquals(all.figures()[0], few.figures()[0]);
            assertEquals(few.figures()[0], few.figures()[1]);
        }
    }

    /** What a device makes for a combination lives as long as the probe, and no longer where there is none. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aProbeLeavesNothingBehindOnceItIsClosedOrRefused(Subject subject) {
        try (Device device = subject.open();
                Landscape land = new Landscape(device);
                LandscapeData data = land.data(0, 0, "exact");
                Model model = new Model(device, Landscape.graph());
                Memory other = device.allocate(16)) {
            PointEvaluator evaluator = data.evaluator(model);
            model.weights();
            long before = device.liveBytes();
            assertThrows(IllegalArgumentException.class, () -> evaluator.probe(List.of(other)));
            assertEquals(before, device.liveBytes());
            evaluator.probe(List.of(model.weights().params())).close();
            assertEquals(before, device.liveBytes());
        }
    }

    /** Statistics of a part of the samples would pass for those of all. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aSinglePassOverSeveralBatchesIsRefused(Subject subject) {
        try (Device device = subject.open();
                Landscape land = new Landscape(device);
                Model model = new Model(device, Landscape.graph());
                Evaluator evaluator = new Evaluator(model, land.splits.train(), land.splits.plainBatch())) {
            assertThrows(IllegalStateException.class, () -> evaluator.settle(model.weights()));
        }
    }
}
