package io.basin.average;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.io.FormatException;
import io.basin.io.Safetensors;
import io.basin.methods.Averaging;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** An average that was saved goes on as if nothing had happened. */
class StateTest {
    private static final int N = 100;
    private static final List<Function<AveragerBuilder, Averager>> METHODS = List.of(
            AveragerBuilder::swa,
            b -> b.tail(2),
            b -> b.ema(0.9, true),
            b -> b.lawa(3),
            b -> b.swag(2),
            b -> b.along(Averaging.swa(9, 0, 3, 4, 7)));

    @TempDir
    Path folder;

    private static void run(Averager averager, float[] w, int from, int to) {
        for (int m = from; m < to; m++) {
            System.arraycopy(AveragerTest.model(m), 0, w, 0, N);
            averager.step();
        }
    }

    @Test
    void interruptedAnywhereAndRestoredItWritesTheSameFile() throws IOException {
        for (Function<AveragerBuilder, Averager> method : METHODS) {
            for (int cut = 0; cut < 9; cut++) {
                Path whole = folder.resolve("whole");
                Path half = folder.resolve("half");
                Path resumed = folder.resolve("resumed");
                float[] w = new float[N];
                float[] v = {cut};
                try (Averager averager =
                        method.apply(Averager.host().add("w", w).add("v", v))) {
                    run(averager, w, 0, cut);
                    averager.save(half);
                    run(averager, w, cut, 9);
                    averager.save(whole);
                }
                try (Averager averager =
                        method.apply(Averager.host().add("w", w).add("v", v))) {
                    run(averager, w, 3, 5);
                    averager.restore(half);
                    assertEquals(cut, averager.steps());
                    run(averager, w, cut, 9);
                    averager.save(resumed);
                }
                assertArrayEquals(Files.readAllBytes(whole), Files.readAllBytes(resumed));
            }
        }
    }

    @Test
    void theFileHasTheAverageByTheArraysNameForEverybody() {
        float[] w = new float[N];
        Path file = folder.resolve("averages.safetensors");
        try (Averager averager = Averager.host().add("fc.weight", w).lawa(2)) {
            run(averager, w, 0, 3);
            averager.save(file);
            try (Safetensors in = Safetensors.open(file)) {
                assertArrayEquals(AveragerTest.average(averager, "fc.weight", N), in.floats("average.fc.weight"));
                assertEquals("3", in.metadata().get("steps"));
                assertEquals("lawa 2", in.metadata().get("rule"));
            }
        }
    }

    @Test
    void aFileThatDoesNotFitIsRefusedAndNothingChanges() {
        float[] w = new float[N];
        Path file = folder.resolve("swa");
        Path other = folder.resolve("weights");
        Safetensors.writer().add("average.w", new long[] {N}, w).write(other);
        try (Averager averager =
                Averager.host().add("w", w).add("v", new float[1]).swa()) {
            run(averager, w, 0, 2);
            averager.save(file);
        }
        refused(
                "was averaged by 'swa', not by 'ema 0.5'",
                Averager.host().add("w", w).add("v", new float[1]).ema(0.5, false),
                file);
        refused(
                "has no tensor 'average.x'",
                Averager.host().add("w", w).add("x", new float[1]).swa(),
                file);
        refused(
                "has 1 tensors of arrays that were not added",
                Averager.host().add("w", w).swa(),
                file);
        refused(
                "tensor 'average.v' has 1 elements of F32, but the array has 2",
                Averager.host().add("w", w).add("v", new float[2]).swa(),
                file);
        refused(
                "holds no averages that Averager.save wrote",
                Averager.host().add("w", w).swa(),
                other);
        refused("no such file", Averager.host().add("w", w).swa(), folder.resolve("none"));
    }

    private static void refused(String message, Averager averager, Path file) {
        String said = assertThrows(FormatException.class, () -> averager.restore(file))
                .getMessage();
        assertTrue(said.contains(message), said);
        assertEquals(0, averager.collected());
        averager.close();
    }
}
