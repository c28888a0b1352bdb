package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.cuda.Cuda;
import io.basin.cuda.SoftGpu;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.EpochMetrics;
import io.basin.device.Images;
import io.basin.device.ParameterStore;
import io.basin.device.Sets;
import io.basin.methods.Method;
import io.basin.methods.Schedule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Function;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The host enqueues whole epochs and neither reads, writes nor waits on the way, as the software GPU counts. */
class RoundTripTest {
    private static final String[] COUNTED = {
        "graph_launches", "calls:cuLaunchKernel", "syncs", "htod", "dtoh", "dtod", "allocs", "memsets"
    };

    private static Map<String, Long> counters() {
        Map<String, Long> counters = new TreeMap<>();
        for (String name : COUNTED) counters.put(name, SoftGpu.counter(name));
        return counters;
    }

    /** What was counted from when an epoch's figures had come to when the next one's were asked for. */
    private record Epochs(List<Map<String, Long>> counted, List<Long> allocatedBefore) implements Trainer.Listener {
        @Override
        public void onStep(int step) {
            if (step % KillableRun.STEPS_PER_EPOCH == 1) allocatedBefore.add(SoftGpu.counter("allocs"));
        }

        @Override
        public Function<Trainer.Epoch, Map<String, Object>> onEpoch() {
            counted.add(counters());
            return epoch -> {
                SoftGpu.reset();
                return Map.of();
            };
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"swa", "fge", "ema", "snapshot", "swag"})
    void anEpochIsOneGraphLaunchAStepAndNothingElse(String method) {
        if (!Cuda.software()) return;
        Epochs epochs = new Epochs(new ArrayList<>(), new ArrayList<>());
        KillableRun.train("cuda", null, method, 4, 0, epochs);
        assertEquals(4, epochs.counted().size());
        long copies = 0;
        // Before the first one there was planning.
        for (int i = 1; i < 4; i++) {
            Map<String, Long> counted = epochs.counted().get(i);
            Map<String, Long> expected = new TreeMap<>(counted);
            expected.put("graph_launches", (long) KillableRun.STEPS_PER_EPOCH);
            expected.put("calls:cuLaunchKernel", 0L);
            expected.put("syncs", 0L);
            // The sums are zeroed once, and once asked for.
            expected.put("htod", 1L);
            expected.put("dtoh", 1L);
            // Members are copies on the device, weights and statistics each, into memory that the epoch began with.
            expected.put("allocs", counted.get("dtod"));
            expected.put("memsets", counted.get("dtod"));
            assertEquals(expected, counted, method + ", epoch " + i);
            assertEquals(counted.get("allocs"), epochs.allocatedBefore().get(i));
            copies += counted.get("dtod");
        }
        if (method.equals("fge") || method.equals("snapshot")) assertTrue(copies > 0, "no member was copied");
        assertEquals(0, SoftGpu.counter("violations"), SoftGpu.lastViolation());
    }

    /** What was counted when the epoch's figures and an evaluation had been asked for, and when they had come. */
    private record Counted(List<Map<String, Long>> asked, List<Map<String, Long>> had) {
        Trainer.Listener listener(Training session, Evaluator evaluator) {
            return new Trainer.Listener() {
                @Override
                public void onStep(int step) {
                    if (step % KillableRun.STEPS_PER_EPOCH == 0) SoftGpu.reset();
                }

                @Override
                public Function<Trainer.Epoch, Map<String, Object>> onEpoch() {
                    Supplier<EpochMetrics> figures =
                            evaluator.begin(session.model().store().live());
                    asked.add(counters());
                    return epoch -> {
                        assertEquals(35, figures.get().seen());
                        had.add(counters());
                        return Map.of();
                    };
                }
            };
        }
    }

    @Test
    void anEpochsFiguresAreAskedForBeforeAnyIsWaitedFor() {
        if (!Cuda.software()) return;
        Settings s = KillableRun.settings();
        Method recipe = KillableRun.asked(20).plan("swa", KillableRun.STEPS_PER_EPOCH);
        Schedule schedule = recipe.schedule();
        float[] mean = {0.4f, 0.5f};
        float[] std = {0.2f, 0.3f};
        Counted counted = new Counted(new ArrayList<>(), new ArrayList<>());
        try (Device device = Devices.open("cuda", 1);
                Images images =
                        Sets.random(device, 1, 35, KillableRun.net().input().shape(), 3);
                Training session = Sessions.session(
                        device,
                        KillableRun.net(),
                        images,
                        s,
                        schedule,
                        recipe.averaging(),
                        5,
                        KillableRun.augmentation(mean, std));
                Evaluator evaluator = new Evaluator(session.model(), images, plain())) {
            // Planning has uploaded things that may still be on their way.
            evaluator.evaluate(session.model().store().live());
            Trainer.Listener listener = counted.listener(session, evaluator);
            new Trainer(session, KillableRun.STEPS_PER_EPOCH, null, 0, Map.of(), false, listener).run();
        }
        assertEquals(20, counted.asked().size());
        for (int epoch = 0; epoch < counted.asked().size(); epoch++) {
            assertEquals(0, counted.asked().get(epoch).get("syncs"));
            assertEquals(2, counted.asked().get(epoch).get("dtoh"));
            assertEquals(2, counted.had().get(epoch).get("dtoh"));
            // One for the epoch's figures, one for the validation's.
            assertEquals(2, counted.had().get(epoch).get("syncs"));
            assertEquals(0, counted.had().get(epoch).get("allocs"));
        }
        assertEquals(0, SoftGpu.counter("violations"), SoftGpu.lastViolation());
    }

    @Test
    void evaluationReadsOnceAndMeasuringStatisticsNever() {
        if (!Cuda.software()) return;
        try (Device device = Devices.open("cuda", 1);
                Images images =
                        Sets.random(device, 1, 41, KillableRun.net().input().shape(), 3);
                Model model = new Model(device, KillableRun.net());
                Evaluator evaluator = new Evaluator(model, images, plain())) {
            ParameterStore storage = model.initialise(1).store();
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

    private static BatchReader plain() {
        return Sets.plain(8, KillableRun.net().input().shape().dim(0));
    }
}
