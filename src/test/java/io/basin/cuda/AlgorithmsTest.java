package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.Nullable;
import io.basin.cuda.Algorithms.Choice;
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
     * @param workspaces by algorithm; one that is not there does not do the layer
     * @param times null where there is no room to try any
     */
    private record Fake(
            Map<Integer, Long> workspaces,
            Set<Integer> random,
            @Nullable Map<Integer, Double> milliseconds) implements Algorithms.Problem {
        @Override
        public String key() {
            return "layer";
        }

        @Override
        public int algorithms() {
            return MOST;
        }

        @Override
        public String name(int algorithm) {
            return String.valueOf(algorithm);
        }

        @Override
        public boolean isDeterministic(int algorithm) {
            return !random.contains(algorithm);
        }

        @Override
        public long workspace(int algorithm) {
            return workspaces.getOrDefault(algorithm, -1L);
        }

        @Override
        public double @Nullable [] times(List<Choice> candidates) {
            if (milliseconds == null) return null;
            return candidates.stream()
                    .mapToDouble(c -> milliseconds.get(c.algorithm()))
                    .toArray();
        }
    }

    private static Path file() {
        return Cache.folder("algorithms").resolve(DEVICE + "-cudnn-9.txt");
    }

    @BeforeEach
    void forget() throws IOException {
        Files.deleteIfExists(file());
    }

    private static Choice choose(Fake layer) {
        return new Algorithms(DEVICE, "cudnn 9").choose(layer);
    }

    @Test
    void theFastestThatIsDeterministicAndAsksForNoMoreThanIsAllowedIsTaken() {
        Map<Integer, Long> workspaces = Map.of(0, 7L, 1, 10L, 4, 40L, 5, TOO_MUCH, 6, 60L);
        Map<Integer, Double> times = Map.of(0, 3.0, 1, 2.0, 4, 1.0, 6, 1.5);
        Fake layer = new Fake(workspaces, Set.of(4), times);
        assertEquals(new Choice(6, 60), choose(layer));
    }

    @Test
    void aFasterOneThatFailsIsLeftOut() {
        Map<Integer, Double> times = Map.of(1, Double.POSITIVE_INFINITY, 2, 9.0);
        assertEquals(new Choice(2, 20), choose(new Fake(Map.of(1, 10L, 2, 20L), Set.of(), times)));
    }

    @Test
    void aRandomOneIsBetterThanNone() {
        Algorithms algorithms = new Algorithms(DEVICE, "cudnn 9");
        assertEquals(new Choice(4, 40), algorithms.choose(new Fake(Map.of(4, 40L), Set.of(4), null)));
        assertTrue(
                algorithms.chosen().get(0).endsWith("NOT deterministic"),
                algorithms.chosen().toString());
    }

    @Test
    void whereNoneIsLeftTheLayerIsNamed() {
        DeviceException e =
                assertThrows(DeviceException.class, () -> choose(new Fake(Map.of(5, TOO_MUCH), Set.of(), Map.of())));
        assertEquals("cuDNN has no algorithm for layer", e.getMessage());
    }

    /** A run that is resumed where more memory is free must not try them then and compute other bits. */
    @Test
    void whatWasChosenWithoutRoomToTryAnyIsKeptToo() {
        Map<Integer, Long> workspaces = Map.of(0, 5L, 1, 10L);
        Choice untried = choose(new Fake(workspaces, Set.of(), null));
        assertEquals(new Choice(1, 10), untried);
        assertEquals(untried, choose(new Fake(workspaces, Set.of(), Map.of(0, 1.0, 1, 2.0))));
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
                        lines.stream().anyMatch(l -> l.matches("forward \\(2,4,9,9\\) .* [0-9.]+ ms, workspace .*")),
                        lines.toString());
                keys.add(lines.get(lines.size() - 1).replaceAll(":.*", ""));
            }
        }
        assertEquals(3, keys.size(), keys.toString());
    }
}
