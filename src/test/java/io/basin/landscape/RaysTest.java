package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Progress;
import io.basin.device.Device;
import io.basin.device.Subject;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Rays out of nets and lines between them. */
class RaysTest {
    private static final String ALL = "io.basin.device.Subject#all";

    @TempDir
    Path folder;

    private static Rays.Result rays(Landscape land, Path into, List<Net> nets, Progress progress) {
        Rays.Config config = new Rays.Config(2, 3, 0, 0.5, 1);
        try (LandscapeData data = land.data(0, 0, "exact")) {
            return new Rays(data, config, into, progress).run(nets, List.of(new int[] {0, 1}));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void raysStartAtTheirNetAndLinesPassThroughBoth(Subject subject) throws Exception {
        try (Device device = subject.open();
                Landscape land = new Landscape(device)) {
            List<Net> nets = List.of(land.net(folder, "a", 1), land.net(folder, "b", 2));
            Rays.Result r = rays(land, Files.createDirectory(folder.resolve("r")), nets, Progress.NONE);
            assertEquals(4, r.bundles().size());
            Rays.Bundle raw = r.bundles().get(0);
            LossAndError a = raw.figures()[0][0];
            for (Rays.Bundle b : r.bundles().subList(0, 2)) {
                for (LossAndError[] ray : b.figures()) assertEquals(a, ray[0]);
                assertNotEquals(b.figures()[0][3], b.figures()[1][3]);
            }
            assertEquals(r.bundles().get(2).distances()[3], raw.distances()[3], "nets share their distances");
            Rays.Line line = r.lines().get(0);
            assertEquals(9, line.ts().length);
            assertEquals(-0.5, line.ts()[0]);
            assertEquals(0, line.ts()[2]);
            assertEquals(1, line.ts()[6]);
            assertEquals(1.5, line.ts()[8]);
            assertEquals(a, line.figures()[2]);
            assertEquals(r.bundles().get(2).figures()[0][0], line.figures()[6]);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void interruptedRaysGoOnWithTheSameFigures(Subject subject) throws Exception {
        try (Device device = subject.open();
                Landscape land = new Landscape(device)) {
            List<Net> nets = List.of(land.net(folder, "a", 1), land.net(folder, "b", 2));
            Path whole = Files.createDirectory(folder.resolve("whole"));
            Path cut = Files.createDirectory(folder.resolve("cut"));
            rays(land, whole, nets, Progress.NONE);
            assertThrows(IllegalStateException.class, () -> rays(land, cut, nets, new Landscape.Cut(9)));
            rays(land, cut, nets, Progress.NONE);
            assertEquals(Files.readString(whole.resolve("rays.jsonl")), Files.readString(cut.resolve("rays.jsonl")));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void raysAreLengthenedUntilTheLossHasRisenAndNoFurtherThanEightTimes(Subject subject) throws Exception {
        try (Device device = subject.open();
                Landscape land = new Landscape(device);
                LandscapeData data = land.data(0, 0, "exact")) {
            List<Net> nets = List.of(land.net(folder, "a", 1), land.net(folder, "b", 2));
            Path into = Files.createDirectory(folder.resolve("r"));
            Rays rays = new Rays(data, new Rays.Config(2, 3, 0.1, 0.1, 1), into, Progress.NONE);
            Rays.Result plain = rays.run(nets, List.of());
            double[] loss = plain.bundles().get(0).meanLoss();
            double rise = Math.max(0, java.util.Arrays.stream(loss).max().orElseThrow() - loss[0]) + 1e-4;
            Rays.Bundle longer = rays.run(nets, List.of(), rise).bundles().get(0);
            assertTrue(longer.distances().length > 4, "the loss had not risen so far on what was asked for");
            assertEquals(0.15, longer.distances()[4], 1e-12, "twice as far apart");
            for (int d = 0; d < 2; d++) {
                for (int i = 0; i < 4; i++)
                    assertEquals(plain.bundles().get(0).figures()[d][i], longer.figures()[d][i]);
            }
            Rays.Result never = rays.run(nets, List.of(), 1e9);
            for (Rays.Bundle b : never.bundles()) {
                assertEquals(0.8, b.distances()[b.distances().length - 1], 1e-12);
                assertEquals(b.distances().length, b.figures()[1].length);
            }
            assertThrows(IllegalArgumentException.class, () -> rays.run(nets, List.of(), 0));
        }
    }

    private static LossAndError loss(double value) {
        return new LossAndError(value, 0, 0, 0);
    }

    @Test
    void theWidthIsWhereTheMeanLossHasRisen() {
        LossAndError[][] rays = {{loss(1), loss(1.5), loss(3)}, {loss(1), loss(1.1), loss(5)}};
        Rays.Bundle bundle = new Rays.Bundle(null, Rays.Kind.RAW, new double[] {0, 2, 4}, rays);
        // Means 1, 1.3, 4: a rise of 0.15 is half-way to the first point, one of 1.65 half-way from it to the second.
        assertEquals(1, bundle.width(0.15), 1e-12);
        assertEquals(3, bundle.width(1.65), 1e-12);
        assertTrue(Double.isNaN(bundle.width(3.5)));
    }
}
