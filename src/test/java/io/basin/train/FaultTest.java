package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.cuda.Cuda;
import io.basin.cuda.SoftGpu;
import io.basin.device.Device;
import io.basin.device.DeviceException;
import io.basin.device.Devices;
import io.basin.device.Elementwise;
import io.basin.device.Images;
import io.basin.device.Sets;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.io.Safetensors;
import io.basin.methods.Method;
import io.basin.nn.Graph;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Whatever call fails, and whenever: one exception that says which, nothing left on the device, the last checkpoint intact.
 *
 * <p>The software GPU makes the n-th call of a kind fail, for every n that a short run reaches before it closes.
 */
class FaultTest {
    private static final int STEPS_PER_EPOCH = 2;
    private static final Pattern STATUS = Pattern.compile("(CUDA_ERROR|CUDNN_STATUS|CUBLAS_STATUS|NVRTC)_");

    @TempDir
    Path folder;

    /** Updates that the last run came to; one more where it came to its end. */
    private int reached;

    private static Graph net() {
        Graph g = new Graph(Shape.of(1, 6, 6));
        g.dense(g.maxPool(g.batchNormRelu(g.conv(g.input(), 4, 3)), 2), 3);
        return g;
    }

    /** With a function that no cache knows: so the compiler is called, too. */
    private static Graph compiled() {
        String unheard = "/* " + System.nanoTime() + " */ x";
        Graph g = new Graph(Shape.of(1, 6, 6));
        g.dense(g.elementwise(g.input(), new Unheard(unheard)), 3);
        return g;
    }

    private record Unheard(String cudaValue) implements Elementwise {
        @Override
        public String name() {
            return "unheard";
        }

        @Override
        public float value(float x) {
            return x;
        }

        @Override
        public float slope(float x) {
            return 1;
        }

        @Override
        public String cudaSlope() {
            return "1";
        }
    }

    /** How far a run came: the calls of a kind that it had made when nothing was left but to close. */
    private long train(Path folder, String kind) {
        reached = 0;
        try (Device device = Devices.open("cuda", 1)) {
            try {
                return train(device, folder, kind);
            } finally {
                assertEquals(0, device.liveBytes());
            }
        }
    }

    private long train(Device device, Path folder, String kind) {
        Settings s = KillableRun.settings();
        Method recipe = KillableRun.asked(2).plan("snapshot", STEPS_PER_EPOCH);
        float[] mean = {0.4f};
        float[] std = {0.2f};
        Graph net = kind.equals("nvrtc") ? compiled() : net();
        try (Images images = Sets.random(device, 1, 35, net.input().shape(), 3);
                Training session = Sessions.session(
                        device,
                        net,
                        images,
                        s,
                        recipe.schedule(),
                        recipe.averaging(),
                        5,
                        KillableRun.augmentation(mean, std));
                Evaluator evaluator = new Evaluator(session.model(), images, Sets.plain(20, 1))) {
            new Trainer(
                            session,
                            STEPS_PER_EPOCH,
                            folder,
                            0,
                            Map.of(Trainer.RUN, "faults"),
                            true,
                            new Trainer.Listener() {
                                @Override
                                public void onStep(int step) {
                                    reached = step;
                                }
                            })
                    .run();
            reached++;
            evaluator.refresh(session.model().store().live(), Evaluator.Refresh.EXACT, pass -> {});
            evaluator.evaluate(session.model().store().live());
            return SoftGpu.calls(kind);
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"alloc", "copy", "launch", "graph", "stream", "event", "sync", "cublas", "cudnn", "nvrtc"})
    void everyCallMayFail(String kind) throws IOException {
        if (!Cuda.software()) return;
        if (kind.equals("nvrtc") && Cuda.compilesByNvidia()) return; // Which does not fail when it is told to.
        // Once before, so that every later run finds the same things in the caches and makes the same calls.
        train(Files.createDirectory(folder.resolve("first")), kind);
        SoftGpu.reset();
        long calls = train(Files.createDirectory(folder.resolve("whole")), kind);
        assertTrue(calls > 0, kind + " is never called");
        requireNothingLeft(kind);
        // Later steps make the calls of earlier ones again.
        for (long n = 1; n <= calls; n += n <= calls / 3 ? 1 : 9) {
            Path place = Files.createDirectory(folder.resolve(kind + n));
            SoftGpu.reset();
            SoftGpu.fail(kind, n);
            requireClear(failure(place, kind, n));
            requireNothingLeft(kind + " " + n);
            requireIntact(place);
        }
    }

    /** Until one search comes through unharmed. */
    @ParameterizedTest
    @ValueSource(strings = {"alloc", "copy", "sync", "cudnn"})
    void everyCallOfASearchForAlgorithmsMayFail(String kind) throws IOException {
        if (!Cuda.software()) return;
        Graph g = new Graph(Shape.of(1, 6, 6));
        g.dense(g.conv(g.input(), 5, 3), 3);
        int n = 0;
        boolean failed = true;
        while (failed) {
            Cuda.forgetAlgorithms();
            try (Device device = Devices.open("cuda", 1)) {
                SoftGpu.reset();
                // A search tries each algorithm by the same calls.
                n += n < 12 ? 1 : 4;
                SoftGpu.fail(kind, n);
                try (Run run = Setup.of(g, 3).on(device)) {
                    assertEquals(3, run.plan.batchSize());
                    failed = SoftGpu.calls(kind) >= n;
                    assertFalse(failed, kind + " " + n + " failed and nobody said so");
                } catch (DeviceException e) {
                    requireClear(e.getMessage());
                    if (kind.equals("cudnn")) assertTrue(e.getMessage().contains("; (3,"), e.getMessage());
                }
                SoftGpu.fail(kind, 0);
                assertEquals(0, device.liveBytes(), kind + " " + n);
            }
            requireNothingLeft(kind + " " + n);
        }
        assertTrue(n > 4, kind + " was called " + n + " times");
    }

    private String failure(Path place, String kind, long n) {
        try {
            train(place, kind);
        } catch (DeviceException e) {
            return e.getMessage();
        }
        throw new AssertionError(kind + " " + n + " failed and nobody said so");
    }

    /** One line that names the call and the status. */
    private static void requireClear(String message) {
        assertFalse(message.contains("\n"), message);
        assertTrue(STATUS.matcher(message).find(), message);
        String call = SoftGpu.lastFailure();
        assertFalse(call.isEmpty(), "no call was made to fail: " + message);
        assertTrue(message.contains(call), call + " failed, but: " + message);
    }

    /** The context is destroyed with all that is in it, so only what it counts then shows what was forgotten. */
    private static void requireNothingLeft(String what) {
        assertEquals(0, SoftGpu.counter("leaks"), what);
        assertEquals(0, SoftGpu.counter("violations"), what + ": " + SoftGpu.lastViolation());
    }

    /**
     * The checkpoint is that of the last epoch whose end the run came past, or of the one in whose end it failed; and what is
     * there is whole, for members and checkpoint were written beside their names and then renamed.
     */
    private void requireIntact(Path place) throws IOException {
        int passed = Math.max(0, reached - 1) / STEPS_PER_EPOCH * STEPS_PER_EPOCH;
        int saved = Trainer.progress(place);
        assertTrue(saved == passed || saved == reached && reached % STEPS_PER_EPOCH == 0, place + ": " + saved);
        List<Path> files;
        try (Stream<Path> all = Files.list(place)) {
            files = all.filter(f -> f.toString().endsWith(".safetensors")).toList();
        }
        for (Path file : files) {
            try (Safetensors in = Safetensors.open(file)) {
                for (String tensor : in.tensors().keySet()) assertTrue(in.floats(tensor).length > 0);
            }
        }
    }

    /** As a damaged cache is: what the driver does not take is compiled anew, and the run goes on. */
    @Test
    void aRefusedModuleIsCompiledAnew() throws IOException {
        if (!Cuda.software()) return;
        SoftGpu.reset();
        SoftGpu.fail("module", 1);
        train(Files.createDirectory(folder.resolve("module")), "module");
        requireNothingLeft("module");
    }

    /** Else a device that no longer opens would leave every suite green. */
    @Test
    void aDeviceThatDoesNotOpenFailsTheSuitesThatRunOnIt() {
        if (!Cuda.software()) return;
        SoftGpu.reset();
        SoftGpu.fail("context", 1);
        assertThrows(DeviceException.class, () -> Subject.all().toList());
    }

    @Test
    void theMessageNamesCallStatusLayerAndShapes() {
        if (!Cuda.software()) return;
        try (Device device = Devices.open("cuda", 1);
                Run run = Setup.of(net(), 4).on(device)) {
            run.oneStep();
            SoftGpu.reset();
            SoftGpu.fail("cudnn", 1);
            String message = message(run::gradients);
            // A cuDNN without kernels for channels last works on copies.
            assertTrue(
                    message.contains("cudnnConvolutionForward") || message.contains("cudnnTransformTensor"), message);
            for (String part : new String[] {"conv1", "CUDNN_STATUS_", "(4,1,6,6)", "(4,1,3,3)"}) {
                assertTrue(message.contains(part), message);
            }
            SoftGpu.fail("cublas", 1);
            message = message(run::gradients);
            for (String part : new String[] {"dense1", "cublasGemmEx", "CUBLAS_STATUS_"})
                assertTrue(message.contains(part), message);
        }
    }

    private static String message(Runnable work) {
        try {
            work.run();
        } catch (DeviceException e) {
            return e.getMessage();
        }
        throw new AssertionError("nothing failed");
    }
}
