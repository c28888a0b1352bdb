package io.basin.geometry;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import io.basin.device.Close;
import io.basin.device.Device;
import io.basin.device.Memory;
import io.basin.device.Precision;
import io.basin.device.Storage;
import io.basin.device.Subject;
import io.basin.train.Evaluator;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Supplier;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** One pass over the whole set at once says what exact passes in batches say, and says it again for the next net. */
class SurveyTest {
    private static final String ALL = "io.basin.device.Subject#all";

    @TempDir
    Path folder;

    /** Figures and batch-norm statistics of two nets, the first one measured again after the second. */
    private record Found(Figures[] figures, float[][] state) {
        static Found on(Landscape land, Supplier<Terrain> make, Net... nets) {
            try (Terrain terrain = make.get();
                    Storage storage = new Storage(true);
                    Survey survey = terrain.survey(Landscape.graph(), storage);
                    Arenas arenas = new Arenas(land.device, storage)) {
                Figures[] figures = new Figures[nets.length];
                float[][] state = new float[nets.length][];
                for (int i = 0; i < nets.length; i++) {
                    arenas.read(nets[i].file());
                    figures[i] = survey.measure(storage.live());
                    state[i] = Vectors.read(land.device, storage.live().state());
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
                    Found exact = Found.on(land, () -> land.terrain(counts[0], counts[1], "exact"), a, b, a);
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
            Found all = Found.on(land, () -> land.terrain(0, 0, "exact"), a, a);
            Found few = Found.on(land, () -> land.terrain(0, 30, "exact"), a, a);
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
                Terrain terrain = land.terrain(0, 0, "exact");
                Storage storage = new Storage(true);
                Survey survey = terrain.survey(Landscape.graph(), storage);
                Memory other = device.allocate(16)) {
            long before = device.liveBytes();
            assertThrows(IllegalArgumentException.class, () -> survey.probe(List.of(other)));
            assertEquals(before, device.liveBytes());
            survey.probe(List.of(storage.live().params())).close();
            assertEquals(before, device.liveBytes());
        }
    }

    /** Statistics of a part of the samples would pass for those of all. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aSinglePassOverSeveralBatchesIsRefused(Subject subject) {
        try (Device device = subject.open();
                Landscape land = new Landscape(device);
                Storage storage = new Storage(true);
                Evaluator evaluator = new Evaluator(
                        device,
                        Landscape.graph(),
                        storage,
                        land.material.train(),
                        land.material.plainBatch(),
                        Precision.FP32)) {
            assertThrows(IllegalStateException.class, () -> evaluator.settle(storage.live()));
        }
    }
}
