package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.EpochMetrics;
import io.basin.device.Sets;
import io.basin.device.Subject;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Several Java threads on one device compute what each computes alone. */
@Timeout(value = 120, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ThreadsTest {
    private static final String ALL = "io.basin.device.Subject#all";

    /** A model's bits, and what its run counted. */
    private record Trained(List<byte[]> bits, EpochMetrics totals) {
        static Trained of(Run run) {
            List<byte[]> bits = new ArrayList<>();
            for (Arena a : List.of(Arena.PARAMS, Arena.MOMENTUM, Arena.AVERAGE, Arena.STATE)) bits.add(run.bytes(a));
            return new Trained(bits, run.control.read());
        }

        static void assertSame(Trained a, Trained b, String what) {
            for (int i = 0; i < a.bits.size(); i++) assertArrayEquals(a.bits.get(i), b.bits.get(i), what);
            assertEquals(a.totals, b.totals, what);
        }
    }

    /** Results of {@code work} of 0 to {@code threads} - 1, each in a thread of its own, all begun together. */
    private static <T> List<T> together(int threads, IntFunction<T> work) throws Exception {
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        try {
            CyclicBarrier start = new CyclicBarrier(threads);
            List<Future<T>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int number = i;
                running.add(pool.submit(() -> {
                    start.await();
                    return work.apply(number);
                }));
            }
            List<T> results = new ArrayList<>();
            for (Future<T> f : running) results.add(f.get());
            return results;
        } finally {
            pool.shutdownNow();
        }
    }

    private static boolean host(Subject subject) {
        return subject.provider().name().equals("cpu");
    }

    private static Trained train(Device device, Graph net, int seed, int steps) {
        try (Run run = Setup.of(net, 8).withSeed(seed).on(device);
                Device.Recording step = device.record(run::oneStep)) {
            for (int t = 0; t < steps; t++) step.replay();
            return Trained.of(run);
        }
    }

    /** Planned, trained and closed while the others do the same. */
    @ParameterizedTest
    @MethodSource(ALL)
    void fourTrainingsOnOneDeviceHaveTheBitsThatEachHasAlone(Subject subject) throws Exception {
        int steps = host(subject) ? 250 : 4;
        try (Device device = subject.open()) {
            List<Trained> alone = new ArrayList<>();
            for (int i = 0; i < 4; i++) alone.add(train(device, UserNets.plain(), i, steps));
            List<Trained> together = together(4, i -> train(device, UserNets.plain(), i, steps));
            for (int i = 0; i < 4; i++) Trained.assertSame(alone.get(i), together.get(i), "training " + i);
            assertEquals(0, device.liveBytes());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void oneEvaluatorAnswersEightThreadsWithWhatItAnswersOne(Subject subject) throws Exception {
        int times = host(subject) ? 100 : 2;
        Setup setup = Setup.of(UserNets.plain(), 8);
        try (Device device = subject.open();
                Run a = setup.on(device);
                Run b = setup.withSeed(6).on(device).steps(3);
                Evaluator evaluator = new Evaluator(a.model, a.images, Sets.plain(7, 3))) {
            List<Run> runs = List.of(a, b);
            List<EpochMetrics> figures =
                    runs.stream().map(r -> evaluator.evaluate(r.storage.live())).toList();
            List<float[]> answers =
                    runs.stream().map(r -> predict(evaluator, r)).toList();
            assertFalse(Arrays.equals(answers.get(0), answers.get(1)));
            together(8, i -> {
                for (int t = 0; t < times; t++) {
                    int which = (i + t) % 2;
                    assertEquals(
                            figures.get(which),
                            evaluator.evaluate(runs.get(which).storage.live()));
                    assertArrayEquals(answers.get(which), predict(evaluator, runs.get(which)));
                }
                return i;
            });
        }
    }

    private static float[] predict(Evaluator evaluator, Run run) {
        float[] all = new float[run.images.count() * evaluator.classes()];
        evaluator.predict(
                List.of(run.storage.live()),
                (member, first, rows, p) ->
                        System.arraycopy(p, 0, all, first * evaluator.classes(), rows * evaluator.classes()));
        return all;
    }

    /**
     * OpenMP's number of threads belongs to the calling thread; a net's bits tell how many there were, where a gradient is summed
     * in parts. Which nets tell depends on the processor's instructions.
     */
    @Test
    void everyThreadComputesWithTheThreadsThatTheDeviceWasOpenedWith() throws Exception {
        try (Device one = Devices.open("cpu", 1);
                Device two = Devices.open("cpu", 2)) {
            boolean told = false;
            for (Graph net :
                    List.of(UserNets.plain(), UserNets.postActivation(), UserNets.grouped(), UserNets.shared())) {
                if (!told) told = threadsTell(one, two, net);
            }
            assertTrue(told, "some net tells one thread from two");
        }
    }

    /** Whether the two devices compute a net differently; where they do, that each does so in every Java thread. */
    private static boolean threadsTell(Device one, Device two, Graph net) throws Exception {
        Trained single = train(one, net, 1, 20);
        Trained pair = train(two, net, 1, 20);
        if (Arrays.equals(single.bits.get(0), pair.bits.get(0))) return false;
        together(1, i -> {
            Trained.assertSame(single, train(one, net, 1, 20), "1 thread, from another thread");
            Trained.assertSame(pair, train(two, net, 1, 20), "2 threads, from another thread");
            Trained.assertSame(single, train(one, net, 1, 20), "1 thread, after 2");
            return i;
        });
        Trained.assertSame(single, train(one, net, 1, 20), "1 thread, after all");
        return true;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void closingWaitsForTheReplayThatAnotherThreadIsIn(Subject subject) throws Exception {
        int rounds = host(subject) ? 20 : 2;
        try (Device device = subject.open()) {
            for (int round = 0; round < rounds; round++) {
                Run run = Setup.of(UserNets.plain(), 8).on(device);
                Device.Recording step = device.record(run::oneStep);
                CountDownLatch begun = new CountDownLatch(3);
                String ended = together(2, i -> {
                            if (i == 0) {
                                try {
                                    begun.await();
                                } catch (InterruptedException e) {
                                    throw new IllegalStateException(e);
                                }
                                run.close();
                                step.close();
                                return "";
                            }
                            try {
                                while (true) {
                                    step.replay();
                                    begun.countDown();
                                }
                            } catch (IllegalStateException e) {
                                return e.getMessage();
                            }
                        })
                        .get(1);
                assertTrue(ended.contains("is closed"), ended);
            }
            assertEquals(0, device.liveBytes());
        }
    }

    @Test
    void aTrainerKeepsOtherThreadsOutOfItsSessionAndNamesItsThread() throws Exception {
        try (Device device = Devices.open("cpu", 1);
                Run data = Setup.of(UserNets.plain(), 8).on(device);
                Training session = ClosedTest.session(device, data)) {
            CountDownLatch advanced = new CountDownLatch(1);
            CountDownLatch tried = new CountDownLatch(1);
            Trainer.Listener waiting = new Trainer.Listener() {
                @Override
                public void onStep(int step) {
                    advanced.countDown();
                    try {
                        tried.await();
                    } catch (InterruptedException e) {
                        throw new IllegalStateException(e);
                    }
                }
            };
            Schedule schedule = ClosedTest.SCHEDULE;
            Thread trainer = new Thread(
                    () -> new Trainer(session, 4, null, 0, java.util.Map.of(), false, waiting).run(),
                    "the-one-that-trains");
            trainer.start();
            advanced.await();
            IllegalStateException e = assertThrows(IllegalStateException.class, session::advance);
            tried.countDown();
            trainer.join();
            assertTrue(e.getMessage().contains("in use by a trainer in thread 'the-one-that-trains'"), e.getMessage());
            assertEquals(schedule.steps(), session.step());
        }
    }
}
