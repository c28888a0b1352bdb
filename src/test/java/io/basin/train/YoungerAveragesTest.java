package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Parameter;
import io.basin.device.Subject;
import io.basin.methods.Averaging;
import io.basin.methods.Budget;
import io.basin.methods.Method;
import io.basin.methods.PostHocEma;
import io.basin.methods.Pswa;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Methods that train on from their average, and averages chosen afterwards, in the engine, against each paper's algorithm in double. */
class YoungerAveragesTest {
    private static final int PER_EPOCH = KillableRun.STEPS_PER_EPOCH;
    private static final Dataset SET = SyntheticSet.synthetic(PER_EPOCH * 16 + 5, 9, 9, 2, 3, 7);

    @TempDir
    Path folder;

    private interface Trial {
        void with(Training training);
    }

    private static void train(Device device, Method method, Averaging averaging, Trial trial) {
        try (Images images = SET.upload(device);
                Training training = Sessions.session(
                        device,
                        KillableRun.net(),
                        images,
                        KillableRun.settings(),
                        method.schedule(),
                        averaging,
                        5,
                        SET.augmentation(1, true))) {
            trial.with(training);
        }
    }

    private static double[] all(Training training, Arena arena) {
        List<Double> all = new ArrayList<>();
        for (Parameter p : training.model().store().parameters()) {
            for (float v :
                    p.read(training.model().device(), training.model().store().memory(arena))) all.add((double) v);
        }
        return all.stream().mapToDouble(v -> v).toArray();
    }

    private static void write(Training training, double[] weights) {
        int at = 0;
        for (Parameter p : training.model().store().parameters()) {
            float[] values = new float[Math.toIntExact(p.shape().elements())];
            for (int i = 0; i < values.length; i++) values[i] = (float) weights[at++];
            training.model().write(p.name(), values);
        }
    }

    /** The average of a weights' path so far in double, as its paper says; null where it does not begin yet. */
    private interface Paper {
        double[] average(List<double[]> path, double[] before);

        /** Whether training goes on from it after {@code steps}. */
        default boolean switches(int steps) {
            return false;
        }
    }

    private static double[] mix(double[] a, double[] b, double toward) {
        double[] out = new double[a.length];
        for (int i = 0; i < out.length; i++) out[i] = a[i] + toward * (b[i] - a[i]);
        return out;
    }

    private record SwitchEma(int ends) implements Paper {
        @Override
        public double[] average(List<double[]> path, double[] before) {
            int k = path.size() - 1;
            return before == null ? path.get(0) : mix(path.get(k), before, Math.min(0.9, (1.0 + k) / (10.0 + k)));
        }

        @Override
        public boolean switches(int steps) {
            return steps % ends == 0;
        }
    }

    private record Periodic(int period) implements Paper {
        @Override
        public double[] average(List<double[]> path, double[] before) {
            List<double[]> now = path.subList((path.size() - 1) / period * period, path.size());
            double[] mean = new double[path.get(0).length];
            for (double[] w : now) for (int i = 0; i < mean.length; i++) mean[i] += w[i] / now.size();
            return mean;
        }

        @Override
        public boolean switches(int steps) {
            return steps % period == 0;
        }
    }

    /** Begins after the second of twenty steps: the last of every three ends the run. */
    private record Ahead() implements Paper {
        @Override
        public double[] average(List<double[]> path, double[] before) {
            double[] fast = path.get(path.size() - 1);
            if (path.size() == 2) return fast;
            return path.size() > 2 && switches(path.size()) ? mix(before, fast, 0.5) : before;
        }

        @Override
        public boolean switches(int steps) {
            return steps > 2 && steps % 3 == 2;
        }
    }

    /** 1 - sqrt decay over the last half, of five checkpoints: c_j = w_j - w_(j+1). */
    private record Merged() implements Paper {
        @Override
        public double[] average(List<double[]> path, double[] before) {
            if (path.size() < 20) return before;
            double[] merged = new double[path.get(0).length];
            int[] at = {10, 13, 15, 18, 20};
            for (int j = 0; j < 5; j++) {
                double share = Math.sqrt((j + 1) / 5.0) - Math.sqrt(j / 5.0);
                for (int i = 0; i < merged.length; i++) merged[i] += share * path.get(at[j] - 1)[i];
            }
            return merged;
        }
    }

    private static Paper paper(String method) {
        return switch (method) {
            case "switch-ema" -> new SwitchEma(PER_EPOCH);
            case "pswa" -> new Periodic(5);
            case "lookahead" -> new Ahead();
            default -> new Merged();
        };
    }

    private static Method planned(String method) {
        return method.equals("pswa")
                ? new Pswa(0.5).plan(new Budget(2, 0.05), PER_EPOCH)
                : KillableRun.asked(2).plan(method, PER_EPOCH);
    }

    /** Twice the same training: one by the tables, in the other the weights are read, averaged in double and written back. */
    @ParameterizedTest
    @ValueSource(strings = {"switch-ema", "pswa", "lookahead", "wsm"})
    void theEnginesTablesAreThePapersAlgorithm(String name) {
        Method method = planned(name);
        Paper paper = paper(name);
        try (Device device = Devices.open("cpu", 1)) {
            double[][] expected = new double[2][];
            train(device, method, Averaging.none(method.schedule().steps()), training -> {
                List<double[]> path = new ArrayList<>();
                for (int steps = 1; steps <= training.steps(); steps++) {
                    training.advance();
                    path.add(all(training, Arena.PARAMS));
                    expected[0] = paper.average(path, expected[0]);
                    if (paper.switches(steps)) write(training, expected[0]);
                }
                expected[1] = all(training, Arena.PARAMS);
            });
            train(device, method, method.averaging(), training -> {
                while (training.step() < training.steps()) training.advance();
                assertArrayEquals(expected[1], all(training, Arena.PARAMS), 1e-4, "weights");
                assertArrayEquals(expected[0], all(training, Arena.AVERAGE), 1e-4, "average");
            });
        }
    }

    /** Each collection takes both averages, which are those of the definition; a width that was stored comes back. */
    @ParameterizedTest
    @MethodSource("io.basin.device.Subject#all")
    void postHocEmaStoresBothAverages(Subject subject) {
        Method method = KillableRun.asked(1).plan("posthoc-ema", PER_EPOCH);
        double[] gammas = {PostHocEma.gamma(0.10), PostHocEma.gamma(0.05)};
        try (Device device = subject.open()) {
            train(device, method, method.averaging(), training -> {
                double[][] averages = new double[2][];
                List<double[]> collected = new ArrayList<>();
                for (int t = 1; t <= training.steps(); t++) {
                    training.advance();
                    double[] w = all(training, Arena.PARAMS);
                    for (int k = 0; k < 2; k++) {
                        double keep = Math.pow(1 - 1.0 / t, gammas[k] + 1);
                        averages[k] = t == 1 ? w : mix(w, averages[k], keep);
                    }
                    if (training.members().size() > collected.size()) collected.addAll(List.of(averages.clone()));
                }
                List<Stepped.Member> members = training.members();
                assertEquals(8, members.size());
                assertEquals(PER_EPOCH - 1, members.get(7).step());
                assertEquals(collected.size(), members.size());
                for (int m = 0; m < 8; m++) {
                    double[] expected = collected.get(m);
                    int at = 0;
                    for (Parameter p : training.model().store().parameters()) {
                        for (float v : p.read(device, members.get(m).weights().params())) {
                            assertEquals(expected[at++], v, 1e-5, "member " + m);
                        }
                    }
                }
            });
        }
    }

    private static final class Stop extends RuntimeException {
        private static final long serialVersionUID = 1;
    }

    /** As {@link ResumeTest}, within one process: nothing is written between a checkpoint and the stop. */
    @ParameterizedTest
    @CsvSource({"switch-ema, 16", "pswa, 24", "lookahead, 11", "wsm, 30", "posthoc-ema, 33"})
    void aRunThatStoppedEndsWithTheSameBytes(String method, int stop) throws IOException {
        Path whole = Files.createDirectory(folder.resolve("whole"));
        Path stopped = Files.createDirectory(folder.resolve("stopped"));
        KillableRun.train(whole, method, 4, new Trainer.Listener() {});
        Trainer.Listener stopping = new Trainer.Listener() {
            @Override
            public void onStep(int step) {
                if (step == stop) throw new Stop();
            }
        };
        assertThrows(Stop.class, () -> KillableRun.train(stopped, method, 4, stopping));
        KillableRun.train(stopped, method, 4, new Trainer.Listener() {});
        List<String> names = names(whole);
        assertEquals(names, names(stopped));
        long members = names.stream().filter(n -> n.startsWith("member-")).count();
        assertEquals(method.equals("posthoc-ema") ? 8 : method.equals("wsm") ? 5 : 0, members);
        for (String name : names) {
            if (name.endsWith(".jsonl")) continue;
            assertArrayEquals(Files.readAllBytes(whole.resolve(name)), Files.readAllBytes(stopped.resolve(name)), name);
        }
    }

    private static List<String> names(Path dir) throws IOException {
        try (Stream<Path> files = Files.list(dir)) {
            return files.map(f -> f.getFileName().toString()).sorted().toList();
        }
    }

    @Test
    void aPullBeforeTheAverageBeginsOrOfAnotherLengthIsRefused() {
        Averaging late = Averaging.of(0, 1, 0.5);
        assertEquals(1, late.pulling(0, 0, 1).pull()[2]);
        for (double[] pull : new double[][] {{0.5, 0, 0}, {0, 0, 1.5}, {0, -1, 0}, {0, 1}, {0, 0, Double.NaN}}) {
            String said = assertThrows(IllegalArgumentException.class, () -> late.pulling(pull))
                    .getMessage();
            assertTrue(said.contains("`pull`"), said);
        }
        assertArrayEquals(new double[] {0, 0.5, 0.5}, late.shares());
    }
}
