package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Device;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.device.Spec;
import io.basin.device.Subject;
import io.basin.graph.Graph;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class UnmeasuredTest {
    @TempDir
    private Path folder;

    private static Graph net() {
        Graph g = new Graph(Shape.of(2, 8, 8));
        g.dense(g.maxPool(g.normRelu(g.conv(g.input(), 8, 3)), 2), 3);
        return g;
    }

    @ParameterizedTest
    @MethodSource("io.basin.device.Subject#all")
    void anAverageIsSavedOnlyOnceItsStatisticsAreMeasured(Subject subject) {
        Path file = folder.resolve("average.safetensors");
        try (Device device = subject.open();
                Run run = Setup.of(net(), 8).on(device).steps(5)) {
            Spec.Batch b = run.setup.batch();
            Spec.Batch plain = new Spec.Batch(8, 0, false, b.mean(), b.std(), 0, false);
            IllegalStateException e = assertThrows(
                    IllegalStateException.class,
                    () -> Checkpoint.saveModel(file, device, run.storage, run.storage.averaged(), Map.of()));
            assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
            assertTrue(e.getMessage().contains("refresh"), e.getMessage());
            assertFalse(Files.exists(file));
            try (Evaluator evaluator =
                    new Evaluator(device, run.setup.graph(), run.storage, run.images, plain, Precision.FP32)) {
                evaluator.refresh(run.storage.averaged(), Evaluator.Refresh.EXACT, pass -> {});
            }
            Checkpoint.saveModel(file, device, run.storage, run.storage.averaged(), Map.of());
            assertTrue(Files.exists(file));
        }
    }
}
