package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.EnumMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Optimizers in one class: AdamW by its formula, own rules, and the same bits on every device. */
class UpdateRuleContractTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final double[] RATES = {0.01, 0.2, 0.003, 0.05};
    private static final double[] ALPHA = {0, 1, 0, 0.5};
    private static final int[] SIZES = {13, 4097, 1};

    /** Keeps nothing beside the weights. */
    private static final class SignDescent implements UpdateRule {
        @Override
        public String name() {
            return "sign descent";
        }

        @Override
        public int moments() {
            return 0;
        }

        @Override
        public double weightDecay() {
            return 0.1;
        }

        @Override
        public void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c) {
            assertEquals(0, m.length + v.length, "a rule without moments gets empty ones");
            for (int i = 0; i < n; i++) w[i] = w[i] - lr * (Math.signum(g[i]) + wd * w[i]);
        }

        @Override
        public String cuda() {
            return "w = w - lr * ((g > 0 ? 1.0f : g < 0 ? -1.0f : 0.0f) + wd * w);";
        }
    }

    private static ParameterStore store(Device device, Optimizer optimizer) {
        ParameterStore store = new ParameterStore(false).trainedBy(optimizer);
        for (int n : SIZES) {
            for (boolean vector : new boolean[] {false, true}) {
                String name = (vector ? "v" : "m") + n;
                Layout plain = () -> 4L * n;
                store.parameter(name, new Layer.Param(name, Shape.of(n), Initializer.constant(0), vector), plain);
            }
        }
        store.allocate(device, true);
        return store;
    }

    private static float[] read(Device device, Memory memory) {
        ByteBuffer bytes = ByteBuffer.allocateDirect((int) memory.bytes()).order(ByteOrder.nativeOrder());
        device.download(memory, 0, bytes);
        float[] out = new float[bytes.capacity() / 4];
        bytes.asFloatBuffer().get(out);
        return out;
    }

    private static void write(Device device, Memory memory, float[] values) {
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        device.upload(memory, 0, bytes);
    }

    private static float[] gradients(int step, int length) {
        return Draws.normal(20 + step, length);
    }

    /** All arenas after {@code steps} updates from drawn weights. */
    private static Map<Arena, float[]> run(
            Device device, Optimizer optimizer, int steps, boolean broken, double... pull) {
        try (device;
                ParameterStore store = store(device, optimizer);
                RunState state = new RunState(device, RATES, ALPHA, pull)) {
            int length = (int) (store.paramBytes() / 4);
            write(device, store.memory(Arena.PARAMS), Draws.normal(1, length));
            state.start(broken ? new EpochMetrics(0, 0, 0, 0, 0) : new EpochMetrics(0, 0, 0, 0, -1));
            Runnable update = device.arenas().step(optimizer, store, state);
            Runnable advance = device.arenas().advance(state);
            for (int t = 0; t < steps; t++) {
                write(device, store.memory(Arena.GRADS), gradients(t, length));
                update.run();
                advance.run();
            }
            Map<Arena, float[]> out = new EnumMap<>(Arena.class);
            for (Arena a : new Arena[] {Arena.PARAMS, Arena.MOMENTUM, Arena.SECOND_MOMENT, Arena.AVERAGE}) {
                if (a != Arena.SECOND_MOMENT || optimizer.moments() > 1) out.put(a, read(device, store.memory(a)));
            }
            return out;
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void adamWFollowsItsFormulaAndAveragesInTheSamePass(Subject subject) {
        AdamW rule = new AdamW(0.9, 0.99, 1e-6, 0.1);
        Map<Arena, float[]> after = run(subject.open(), rule, RATES.length, false);
        int length = after.get(Arena.PARAMS).length;
        float[] w = Draws.normal(1, length);
        int split = (int) slots(0);
        for (int i = 0; i < length; i++) {
            double x = w[i];
            double m = 0;
            double v = 0;
            double a = 0;
            for (int t = 0; t < RATES.length; t++) {
                double g = gradients(t, length)[i];
                m = 0.9 * m + 0.1 * g;
                v = 0.99 * v + 0.01 * g * g;
                double mean = m / (1 - Math.pow(0.9, t + 1));
                double spread = Math.sqrt(v / (1 - Math.pow(0.99, t + 1)));
                x = x * (1 - RATES[t] * (i < split ? 0.1 : 0)) - RATES[t] * mean / (spread + 1e-6);
                a += ALPHA[t] * (x - a);
            }
            assertEquals(x, after.get(Arena.PARAMS)[i], 1e-5 * Math.max(1, Math.abs(x)));
            assertEquals(v, after.get(Arena.SECOND_MOMENT)[i], 1e-5 * Math.max(1, v));
            assertEquals(a, after.get(Arena.AVERAGE)[i], 1e-5 * Math.max(1, Math.abs(a)));
            if (i > 200 && i < length - 200) i += 37;
        }
    }

    /** Floats before the split: each size's matrix, rounded up to 64. */
    private static long slots(long from) {
        for (int n : SIZES) from += new Slot(Arena.PARAMS, 4L * n).padded() / 4;
        return from;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void everyDeviceHasTheSameBits(Subject subject) {
        for (UpdateRule rule : new UpdateRule[] {
            new AdamW(0.05), new SignDescent(), new SgdW(0.9, 0.1, false), new SgdW(0.9, 0.1, true)
        }) {
            Map<Arena, float[]> expected = run(new ReferenceDevice(), rule, 3, false);
            Map<Arena, float[]> actual = run(subject.open(), rule, 3, false);
            for (Arena arena : expected.keySet()) {
                if (arena == Arena.AVERAGE) continue;
                assertArrayEquals(expected.get(arena), actual.get(arena), rule.name() + " " + arena);
            }
        }
    }

    /** SGD's own kernel and the one that takes any rule: weights go toward the average, all of the way where the pull is 1. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aPullMovesTheWeightsTowardTheAverageInTheSamePassWithTheSameBits(Subject subject) {
        double[] pull = {0, 1, 0.25, 1};
        for (Optimizer rule : new Optimizer[] {new Sgd(0.9, 0, false), new SgdW(0.9, 0, true)}) {
            Map<Arena, float[]> after = run(subject.open(), rule, RATES.length, false, pull);
            float[] w = Draws.normal(1, after.get(Arena.PARAMS).length);
            float[] v = new float[w.length];
            float[] a = new float[w.length];
            for (int t = 0; t < RATES.length; t++) {
                float[] g = gradients(t, w.length);
                float alpha = (float) ALPHA[t];
                float back = (float) pull[t];
                for (int i = 0; i < w.length; i++) {
                    v[i] = 0.9f * v[i] + g[i];
                    w[i] = w[i] - (float) RATES[t] * (rule instanceof SgdW ? g[i] + 0.9f * v[i] : v[i]);
                    if (alpha != 0) a[i] = a[i] + alpha * (w[i] - a[i]);
                    if (back != 0) w[i] = back == 1 ? a[i] : w[i] + back * (a[i] - w[i]);
                }
            }
            assertArrayEquals(w, after.get(Arena.PARAMS), rule + " on " + subject);
            assertArrayEquals(a, after.get(Arena.AVERAGE), rule + " on " + subject);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void nothingMovesAfterALossThatIsNotFinite(Subject subject) {
        Map<Arena, float[]> after = run(subject.open(), new AdamW(0.05), 2, true);
        assertArrayEquals(Draws.normal(1, after.get(Arena.PARAMS).length), after.get(Arena.PARAMS));
        assertArrayEquals(new float[after.get(Arena.MOMENTUM).length], after.get(Arena.MOMENTUM));
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aRuleWithoutCudaStatementsRunsOnTheCpuAndIsRefusedByNameElsewhere(Subject subject) {
        UpdateRule silent = new UpdateRule() {
            @Override
            public String name() {
                return "silent";
            }

            @Override
            public int moments() {
                return 0;
            }

            @Override
            public void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c) {
                for (int i = 0; i < n; i++) w[i] -= lr * g[i];
            }
        };
        try (Device device = subject.open()) {
            if (!device.describe().startsWith("CUDA")) return;
            Exception e = assertThrows(IllegalArgumentException.class, () -> run(device, silent, 1, false));
            assertTrue(e.getMessage().contains("silent") && e.getMessage().contains("cuda()"), e.getMessage());
        }
    }
}
