package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.cuda.Cuda;
import io.basin.cuda.SoftGpu;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Precision;
import io.basin.device.Sets;
import io.basin.device.Spec;
import io.basin.device.Storage;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The host enqueues whole epochs and neither reads, writes nor waits on the way, as the software GPU counts. */
class RoundTripTest {
    private static final String[] COUNTED = {"graph_launches", "launches", "syncs", "htod", "dtoh", "allocs", "memsets"
    };

    @TempDir
    Path folder;

    private static Map<String, Long> counters() {
        Map<String, Long> counters = new TreeMap<>();
        for (String name : COUNTED) counters.put(name, SoftGpu.counter(name));
        return counters;
    }

    /** From the first update of each epoch, which is done when the listener is told of it, to the last. */
    @ParameterizedTest
    @ValueSource(strings = {"swa", "fge", "ema", "snapshot", "swag"})
    void anEpochIsOneGraphLaunchAStepAndNothingElse(String method) {
        if (!Cuda.software()) return;
        int[] epochs = {0};
        long[] copies = {0};
        KillableRun.train("cuda", folder, method, 4, 0, new Trainer.Listener() {
            @Override
            public void onStep(int step) {
                int within = (step - 1) % KillableRun.STEPS_PER_EPOCH + 1;
                if (within == 1) SoftGpu.reset();
                if (within < KillableRun.STEPS_PER_EPOCH) return;
                Map<String, Long> expected = new TreeMap<>();
                for (String name : COUNTED) expected.put(name, 0L);
                expected.put("graph_launches", within - 1L);
                Map<String, Long> counted = counters();
                // Kernels inside a graph are not launches of the host's.
                expected.put("launches", counted.get("launches"));
                assertEquals(expected, counted, method + ", epoch " + epochs[0]);
                assertEquals(0, SoftGpu.counter("calls:cuLaunchKernel"));
                copies[0] += SoftGpu.counter("dtod");
                epochs[0]++;
            }
        });
        assertEquals(4, epochs[0]);
        // Members are copies on the device, weights and statistics each.
        if (method.equals("fge") || method.equals("snapshot")) assertTrue(copies[0] > 0, "no member was copied");
        assertEquals(0, SoftGpu.counter("violations"), SoftGpu.lastViolation());
    }

    @Test
    void evaluationReadsOnceAndMeasuringStatisticsNever() {
        if (!Cuda.software()) return;
        try (Device device = Devices.open("cuda", 1);
                Images images =
                        Sets.random(device, 1, 41, KillableRun.net().input().shape(), 3);
                Storage storage = new Storage(true);
                Evaluator evaluator =
                        new Evaluator(device, KillableRun.net(), storage, images, plain(), Precision.FP32)) {
            storage.initialise(device, 1);
            for (Evaluator.Refresh how : Evaluator.Refresh.values()) {
                SoftGpu.reset();
                evaluator.refresh(storage.live(), how, pass -> {});
                assertEquals(0, SoftGpu.counter("dtoh"));
                assertEquals(0, SoftGpu.counter("syncs"));
                assertEquals(0, SoftGpu.counter("allocs"));
            }
            SoftGpu.reset();
            assertEquals(41, evaluator.evaluate(storage.live()).seen());
            assertEquals(1, SoftGpu.counter("dtoh"));
            assertEquals(1, SoftGpu.counter("syncs"));
        }
    }

    private static Spec.Batch plain() {
        return Sets.plain(8, KillableRun.net().input().shape().dim(0));
    }
}
