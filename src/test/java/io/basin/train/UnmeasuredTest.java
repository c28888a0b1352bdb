package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.nn.Graph;
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
        g.dense(g.maxPool(g.batchNormRelu(g.conv(g.input(), 8, 3)), 2), 3);
        return g;
    }

    @ParameterizedTest
    @MethodSource("io.basin.device.Subject#all")
    void anAverageIsSavedOnlyOnceItsStatisticsAreMeasured(Subject subject) {
        Path file = folder.resolve("average.safetensors");
        try (Device device = subject.open();
                Run run = Setup.of(net(), 8).on(device).steps(5)) {
            BatchReader b = run.setup.batch();
            BatchReader plain = b.plain().withBatch(8);
            IllegalStateException e = assertThrows(
                    IllegalStateException.class,
                    () -> Checkpoint.saveModel(file, run.model, run.storage.averaged(), Map.of()));
            assertTrue(e.getMessage().contains(file.toString()), e.getMessage());
            assertTrue(e.getMessage().contains("refresh"), e.getMessage());
            assertFalse(Files.exists(file));
            try (Evaluator evaluator = new Evaluator(run.model, run.images, plain)) {
                evaluator.refresh(run.storage.averaged(), Evaluator.Refresh.EXACT, pass -> {});
            }
            Checkpoint.saveModel(file, run.model, run.storage.averaged(), Map.of());
            assertTrue(Files.exists(file));
        }
    }
}
