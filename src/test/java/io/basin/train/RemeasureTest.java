package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Arena;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Parameter;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.device.Weights;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import java.nio.FloatBuffer;
import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The self-check of batch-norm statistics: settled ones come out again in batches of any size, disturbed ones do not. */
class RemeasureTest {
    private static Graph net() {
        Graph g = new Graph(Shape.of(2, 8, 8));
        g.dense(g.maxPool(g.batchNormRelu(g.conv(g.batchNormRelu(g.conv(g.input(), 8, 3)), 8, 3)), 2), 3);
        return g;
    }

    private static float[] read(Device device, Parameter s, Weights model) {
        float[] values = new float[Math.toIntExact(s.shape().elements())];
        device.unpack(model.state(), s.slot().offset(), null, FloatBuffer.wrap(values));
        return values;
    }

    private static Evaluator evaluator(Run run, int batch) {
        BatchReader b = run.setup.batch();
        BatchReader plain = b.plain().withBatch(batch);
        return new Evaluator(run.model, run.images, plain);
    }

    @ParameterizedTest
    @MethodSource("io.basin.device.Subject#all")
    void settledStatisticsComeOutAgainAndDisturbedOnesMoveWhatFollows(Subject subject) {
        try (Device device = subject.open();
                Run run = Setup.of(net(), 8).on(device).steps(5);
                Evaluator made = evaluator(run, 8);
                Evaluator again = evaluator(run, 5);
                Weights model = run.storage.copy(device, run.storage.live());
                Weights copy = run.storage.copy(device, run.storage.live())) {
            made.refresh(model, Evaluator.Refresh.EXACT, pass -> {});
            model.copyTo(device, copy);
            again.remeasure(copy, pass -> {});
            for (Parameter s : run.storage.states()) {
                float[] expected = read(device, s, model);
                float[] got = read(device, s, copy);
                for (int c = 0; c < expected.length; c++) {
                    assertEquals(expected[c], got[c], 1e-5 * Math.max(1, Math.abs(expected[c])), s.name());
                }
            }
            model.copyTo(device, copy);
            Parameter first = run.storage.states().iterator().next();
            float[] wrong = read(device, first, copy);
            for (int c = 0; c < wrong.length; c++) wrong[c] += 0.5f;
            device.pack(
                    FloatBuffer.wrap(wrong), null, copy.state(), first.slot().offset());
            again.remeasure(copy, pass -> {});
            assertTrue(
                    run.storage.states().stream()
                            .anyMatch(s -> farther(read(device, s, model), read(device, s, copy), 1e-2)),
                    "disturbed statistics went unnoticed");
        }
    }

    private static boolean farther(float[] a, float[] b, double limit) {
        for (int i = 0; i < a.length; i++) if (Math.abs(a[i] - b[i]) > limit) return true;
        return false;
    }

    @ParameterizedTest
    @MethodSource("io.basin.device.Subject#all")
    void aRunBegunFromACheckpointTakesWeightsStatisticsAndMomentum(Subject subject) throws Exception {
        java.nio.file.Path file =
                java.nio.file.Files.createTempDirectory("start").resolve("checkpoint.safetensors");
        Settings s = KillableRun.settings();
        try (Device device = subject.open();
                Run data = Setup.of(KillableRun.net(), 16).on(device);
                Training a = session(device, data, s, 1);
                Training b = session(device, data, s, 2)) {
            for (int i = 0; i < 4; i++) a.advance();
            Checkpoint.saveRun(file, a, java.util.Map.of());
            Checkpoint.loadStart(file, b.model());
            assertEquals(0, b.step());
            for (Arena arena : new Arena[] {Arena.PARAMS, Arena.STATE, Arena.MOMENTUM}) {
                assertTrue(Arrays.equals(bytes(device, a, arena), bytes(device, b, arena)), arena.toString());
            }
            assertTrue(allZero(bytes(device, b, Arena.AVERAGE)), "an average begins at 0");
        }
    }

    private static Training session(Device device, Run data, Settings s, long seed) {
        Schedule schedule = Schedule.constant(10, 0.05);
        float[] mean = {0.5f, 0.5f};
        Averaging averaging = Averaging.tail(10, 0);
        return Sessions.session(
                device,
                data.setup.graph(),
                data.images,
                s,
                schedule,
                averaging,
                seed,
                new Augmentation(s.data().pad(), s.data().flip(), mean, mean));
    }

    private static byte[] bytes(Device device, Training session, Arena arena) {
        var memory = session.model().store().memory(arena);
        var buffer = java.nio.ByteBuffer.allocateDirect(Math.toIntExact(memory.bytes()));
        device.download(memory, 0, buffer);
        byte[] out = new byte[buffer.capacity()];
        buffer.get(0, out);
        return out;
    }

    private static boolean allZero(byte[] bytes) {
        for (byte b : bytes) if (b != 0) return false;
        return true;
    }
}
