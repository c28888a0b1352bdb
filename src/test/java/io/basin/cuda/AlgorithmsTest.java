package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Nullable;
import io.basin.cuda.Algorithms.Choice;
import io.basin.cuda.Algorithms.Problem;
import io.basin.device.Cache;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Devices;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.OpTrial;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.Shape;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Of the algorithms that do a layer, the fastest that is deterministic; and once chosen, chosen for good. */
class AlgorithmsTest {
    private static final String DEVICE = "algorithms-test";
    private static final int MOST = 8;
    private static final long TOO_MUCH = 257L << 20;

    /**
     * A layer.
     *
     * @param workspaces by algorithm, copies' from {@link #MOST} on; one that is not there does not do the layer
     * @param random bits of those that are not deterministic
     * @param times null where there is no room to try any
     */
    private static Problem layer(Map<Integer, Long> workspaces, int random, @Nullable Map<Integer, Double> times) {
        return new Problem(
                "layer",
                MOST,
                random,
                a -> workspaces.getOrDefault(a, -1L),
                tried -> times == null
                        ? null
                        : tried.stream()
                                .mapToDouble(c -> times.get(c.algorithm()))
                                .toArray());
    }

    private static Path file() {
        return Cache.folder("algorithms").resolve(DEVICE + "-cudnn-9.txt");
    }

    @BeforeEach
    void forget() throws IOException {
        Files.deleteIfExists(file());
    }

    private static Choice choose(Problem layer) {
        return new Algorithms(DEVICE, "cudnn 9").choose(layer);
    }

    @Test
    void theFastestThatIsDeterministicAndAsksForNoMoreThanIsAllowedIsTaken() {
        Map<Integer, Long> workspaces = Map.of(0, 7L, 1, 10L, 4, 40L, 5, TOO_MUCH, 6, 60L);
        Map<Integer, Double> times = Map.of(0, 3.0, 1, 2.0, 4, 1.0, 6, 1.5);
        Problem layer = layer(workspaces, 1 << 4, times);
        assertEquals(new Choice(6, 60), choose(layer));
    }

    @Test
    void bothLayoutsTimesAreSaidAndKept() {
        Algorithms algorithms = new Algorithms(DEVICE, "cudnn 9");
        Map<Integer, Long> workspaces = Map.of(0, 7L, 1, 10L, MOST, 40L, MOST + 5, 60L);
        algorithms.choose(layer(workspaces, 0, Map.of(0, 3.0, 1, 2.0, MOST, 1.5, MOST + 5, 1.0)));
        String line = algorithms.chosen().get(0);
        assertTrue(
                line.contains(
                        ": algorithm 5 on copies with channels first, 1.0000 ms (with channels last 2.0000 ms), "),
                line);
        Algorithms again = new Algorithms(DEVICE, "cudnn 9");
        again.choose(layer(workspaces, 0, Map.of()));
        assertEquals(line, again.chosen().get(0));
    }

    @Test
    void aFasterOneThatFailsIsLeftOut() {
        Map<Integer, Double> times = Map.of(1, Double.POSITIVE_INFINITY, 2, 9.0);
        assertEquals(new Choice(2, 20), choose(layer(Map.of(1, 10L, 2, 20L), 0, times)));
    }

    @Test
    void aRandomOneIsBetterThanNone() {
        Algorithms algorithms = new Algorithms(DEVICE, "cudnn 9");
        assertEquals(new Choice(4, 40), algorithms.choose(layer(Map.of(4, 40L), 1 << 4, null)));
        assertTrue(
                algorithms.chosen().get(0).endsWith("NOT deterministic"),
                algorithms.chosen().toString());
    }

    @Test
    void whereNoneIsLeftTheLayerIsNamed() {
        DeviceException e = assertThrows(DeviceException.class, () -> choose(layer(Map.of(), 0, Map.of())));
        assertEquals("cuDNN has no algorithm for layer", e.getMessage());
    }

    /** As of copies at a large batch, for which a device may well have room. */
    @Test
    void whereAllThatAreDeterministicAskForMoreTheLeastIsTaken() {
        Map<Integer, Long> workspaces = Map.of(2, TOO_MUCH + 1, 4, 40L, 5, TOO_MUCH);
        assertEquals(new Choice(5, TOO_MUCH), choose(layer(workspaces, 1 << 4, null)));
    }

    /** Another number is another algorithm, whose bits are others, and perhaps no run's again. */
    @Test
    void aFileOfWhichADigitIsAnotherIsChosenAnew() throws IOException {
        Problem layer = layer(Map.of(2, 10L, 4, 40L, 5, 50L), 1 << 4, Map.of(2, 2.0, 5, 1.0));
        assertEquals(new Choice(5, 50), choose(layer));
        String kept = Files.readString(file());
        for (String other : List.of("=4 ", "=2 ")) {
            Files.writeString(file(), kept.replace("=5 ", other));
            assertEquals(new Choice(5, 50), choose(layer));
        }
        Files.writeString(file(), kept);
        assertEquals(new Choice(5, 50), choose(layer(Map.of(2, 10L, 5, 50L), 0, null)));
    }

    /** A run that is resumed where more memory is free must not try them then and compute other bits. */
    @Test
    void whatWasChosenWithoutRoomToTryAnyIsKeptToo() {
        Map<Integer, Long> workspaces = Map.of(0, 5L, 1, 10L);
        Choice untried = choose(layer(workspaces, 0, null));
        assertEquals(new Choice(1, 10), untried);
        assertEquals(untried, choose(layer(workspaces, 0, Map.of(0, 1.0, 1, 2.0))));
    }

    @Test
    void aConvolutionsAlgorithmsAreTimedOnTheDeviceInEachPrecision() {
        if (!Cuda.works()) return;
        Set<String> keys = new TreeSet<>();
        for (Precision precision : new Precision[] {Precision.STRICT, Precision.FP32, Precision.BF16}) {
            try (Device device = Devices.open("cuda", 1);
                    OpTrial trial = OpTrial.of(device, PlanContext.Mode.TRAIN, 2, Shape.of(3, 9, 9), precision)) {
                if (!device.supports(precision)) continue;
                Layer.Conv spec = new Layer.Conv(5, 3, 2, 1, 1, false, false, Initializer.constant(1));
                trial.layer("op", spec, trial.input(OpTrial.From.CONV, 4));
                List<String> lines = device.choices();
                assertEquals(5, lines.size(), lines.toString());
                assertFalse(lines.toString().contains("NOT deterministic"), lines.toString());
                assertTrue(
                        lines.stream().anyMatch(l -> l.matches("forward \\(2,4,9,9\\) .* [0-9.]+ ms.*, workspace .*")),
                        lines.toString());
                keys.add(lines.get(lines.size() - 1).replaceAll(":.*", ""));
            }
        }
        assertEquals(3, keys.size(), keys.toString());
    }
}
