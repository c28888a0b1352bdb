package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.EpochMetrics;
import io.basin.device.Images;
import io.basin.device.Parameter;
import io.basin.device.RunState;
import io.basin.device.Sets;
import io.basin.device.Subject;
import io.basin.device.Weights;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What must hold of every run, whatever the net. */
class EngineTest {
    private static final String ALL = "io.basin.device.Subject#all";
    /** Steps after which everything is compiled and loaded that a step needs. */
    private static final int WARM = 300;

    private static final Arena[] MODEL = {
        Arena.PARAMS, Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE, Arena.STATE, Arena.STATE_AVERAGE
    };

    private static List<Graph> nets() {
        return List.of(UserNets.plain(), UserNets.postActivation(), UserNets.dropped(), UserNets.shared());
    }

    private static void assertSameBits(Run a, Run b) {
        for (Arena arena : MODEL) assertArrayEquals(a.bytes(arena), b.bytes(arena), arena.name());
        assertArrayEquals(a.probabilities(), b.probabilities());
        assertEquals(a.control.read(), b.control.read());
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void replayEqualsEagerBitForBit(Subject subject) {
        for (Graph net : nets()) {
            try (Device device = subject.open();
                    Run eager = Setup.of(net, 5).on(device);
                    Run replayed = Setup.of(net, 5).on(device);
                    Device.Recording step = device.record(replayed::oneStep)) {
                long start = replayed.control.read().step();
                for (int t = 0; t < 6; t++) {
                    eager.oneStep();
                    step.replay();
                }
                assertEquals(start + 6, replayed.control.read().step());
                assertSameBits(eager, replayed);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theSameSeedGivesTheSameBitsAndAnotherSeedOthers(Subject subject) {
        for (Graph net : nets()) {
            Setup setup = Setup.of(net, 5);
            try (Device device = subject.open();
                    Run first = setup.on(device).steps(5);
                    Run other = setup.withSeed(6).on(device).steps(5)) {
                try (Device again = subject.open();
                        Run second = setup.on(again).steps(5)) {
                    assertSameBits(first, second);
                }
                assertFalse(Arrays.equals(first.bytes(Arena.PARAMS), other.bytes(Arena.PARAMS)));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aRunResumedFromItsMemoryContinuesBitForBit(Subject subject) {
        Setup setup = Setup.of(UserNets.dropped(), 5);
        try (Device device = subject.open();
                Run whole = setup.on(device).steps(7);
                Run half = setup.on(device).steps(3);
                Run rest = setup.on(device)) {
            for (Arena arena : MODEL) device.copy(half.storage.memory(arena), rest.storage.memory(arena));
            rest.control.start(half.control.read());
            assertSameBits(whole, rest.steps(4));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void evaluationBetweenStepsChangesNothing(Subject subject) {
        for (Graph net : nets()) {
            Setup setup = Setup.of(net, 5);
            try (Device device = subject.open();
                    Run alone = setup.on(device).steps(4);
                    Run watched = setup.on(device);
                    RunState control = new RunState(device);
                    Plan evaluation = evaluation(watched, control, 4)) {
                for (int t = 0; t < 4; t++) {
                    watched.oneStep();
                    for (Weights w : List.of(watched.storage.live(), watched.storage.averaged())) {
                        evaluation.use(w);
                        control.start(t);
                        evaluation.forward();
                    }
                }
                assertSameBits(alone, watched);
            }
        }
    }

    private static Plan evaluation(Run run, RunState control, int batch) {
        int channels = run.setup.graph().input().shape().dim(0);
        return Plan.evaluation(run.model, run.images, control, Sets.plain(batch, channels));
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void evaluationCountsEverySampleOnceWhateverTheBatch(Subject subject) {
        try (Device device = subject.open();
                Run run = Setup.of(UserNets.plain(), 5).on(device).steps(3)) {
            double loss = Double.NaN;
            for (int batch : new int[] {1, 4, 21, 30}) {
                try (RunState control = new RunState(device);
                        Plan evaluation = evaluation(run, control, batch)) {
                    Runnable tick = device.arenas().advance(control);
                    for (int at = 0; at < 21; at += batch) {
                        evaluation.forward();
                        tick.run();
                    }
                    EpochMetrics totals = control.read();
                    assertEquals(21, totals.seen());
                    if (!Double.isNaN(loss)) assertEquals(loss, totals.loss(), 1e-4);
                    loss = totals.loss();
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anEvaluationPlanOfACopySeesTheCopy(Subject subject) {
        try (Device device = subject.open();
                Run run = Setup.of(UserNets.plain(), 5).on(device).steps(2);
                Weights copy = run.storage.copy(device, run.storage.live());
                RunState control = new RunState(device);
                Plan evaluation = evaluation(run, control, 7)) {
            evaluation.forward();
            double before = control.read().loss();
            run.steps(3);
            control.start(0);
            evaluation.use(copy);
            evaluation.forward();
            assertEquals(before, control.read().loss());
            control.start(0);
            evaluation.use(run.storage.live());
            evaluation.forward();
            assertTrue(before != control.read().loss());
        }
    }

    /** Averaging and stepping run over whole arenas, so what lies between the slots must stay zero. */
    @ParameterizedTest
    @MethodSource(ALL)
    void paddingStaysZero(Subject subject) {
        for (Graph net : List.of(UserNets.plain(), UserNets.grouped(), UserNets.mapped())) {
            try (Device device = subject.open();
                    Run run = Setup.of(net, 5).on(device).steps(4)) {
                for (Arena arena : new Arena[] {Arena.PARAMS, Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE}) {
                    long logical = 0;
                    for (Parameter p : run.storage.parameters()) logical += nonZero(run.read(p, arena));
                    assertEquals(logical, nonZero(floats(run.bytes(arena))), arena.name());
                }
            }
        }
    }

    private static float[] floats(byte[] bytes) {
        float[] out = new float[bytes.length / 4];
        ByteBuffer.wrap(bytes).order(ByteOrder.nativeOrder()).asFloatBuffer().get(out);
        return out;
    }

    private static long nonZero(float[] values) {
        long count = 0;
        for (float v : values) if (v != 0) count++;
        return count;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void nothingIsAliveAfterClose(Subject subject) {
        for (Graph net : nets()) {
            try (Device device = subject.open()) {
                Run run = Setup.of(net, 5).on(device).steps(1);
                assertTrue(device.liveBytes() > 0);
                run.close();
                run.close();
                assertEquals(0, device.liveBytes());
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void packingAndUnpackingKeepsEveryBit(Subject subject) {
        for (Graph net : List.of(UserNets.plain(), UserNets.grouped(), UserNets.mapped())) {
            try (Device device = subject.open();
                    Run run = Setup.of(net, 5).on(device)) {
                for (Parameter p : run.storage.parameters()) {
                    float[] values = io.basin.device.Draws.normal(7, p.shape().elements());
                    run.write(p, Arena.MOMENTUM, values);
                    assertArrayEquals(values, run.read(p, Arena.MOMENTUM), p.name());
                }
                for (Parameter s : run.storage.states()) {
                    float first = s.name().endsWith("running_var") ? 1 : 0;
                    assertEquals(first, run.read(s, Arena.STATE)[0]);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void stepsAllocateNothingOnTheJavaHeap(Subject subject) {
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        for (Graph net : List.of(UserNets.plain(), UserNets.shared(), UserNets.dropped())) {
            try (Device device = subject.open();
                    Images images = Sets.random(device, 1, 21, net.input().shape(), 5);
                    Training session = session(device, net, images)) {
                while (session.step() < WARM) session.advance();
                long before = threads.getCurrentThreadAllocatedBytes();
                while (session.step() < session.steps()) session.advance();
                long allocated = threads.getCurrentThreadAllocatedBytes() - before;
                // The JVM's own, now and then; the smallest object a step would be 3200.
                assertTrue(allocated < 1000, allocated + " bytes in " + (session.steps() - WARM) + " steps");
            }
        }
    }

    /** With a collection after the last warm step; those of a run have their memory set aside beforehand. */
    private static Training session(Device device, Graph net, Images images) {
        int channels = net.input().shape().dim(0);
        float[] mean = new float[channels];
        float[] std = new float[channels];
        Arrays.fill(std, 1);
        Schedule schedule = Schedule.constant(WARM + 200, 1e-3).collecting(WARM - 1);
        Averaging every = Averaging.tail(WARM + 200, 0);
        return Sessions.session(
                device, net, images, KillableRun.settings(), schedule, every, 5, KillableRun.augmentation(mean, std));
    }
}
