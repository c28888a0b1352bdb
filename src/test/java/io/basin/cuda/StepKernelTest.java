package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Draws;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** The fused update against its formula in Java, bit for bit, and the bytes that it moves. */
class StepKernelTest {
    private static final float MU = 0.9f;
    private static final float WD = 5e-4f;
    private static final float[] LR = {0.1f, 0.05f, 0.013f};
    private static final float[] ALPHA = {0, 1, 1 / 3f};
    private static final float[] PULL = {0.7f, 0, 1};

    /** The arenas of one model, n floats each, of which the first `split` are decayed. */
    private record Arenas(float[] w, float[] g, float[] v, float[] a, int split) {
        static Arenas of(int n, int split) {
            return new Arenas(Draws.normal(1, n), Draws.normal(2, n), Draws.normal(3, n), Draws.normal(4, n), split);
        }

        /** The update as written in the paper's order, one rounding after each operation. */
        void update(int t, boolean nesterov, float... pull) {
            for (int i = 0; i < w.length; i++) {
                float d = g[i] + (i < split ? WD : 0) * w[i];
                v[i] = MU * v[i] + d;
                w[i] = w[i] - LR[t] * (nesterov ? d + MU * v[i] : v[i]);
                if (ALPHA[t] != 0) a[i] = a[i] + ALPHA[t] * (w[i] - a[i]);
                if (pull.length > 0 && pull[t] != 0) w[i] = pull[t] == 1 ? a[i] : w[i] + pull[t] * (a[i] - w[i]);
            }
        }
    }

    private static final class Bench {
        final Gpu gpu;
        final Arenas start;
        final DevicePointer w;
        final DevicePointer g;
        final DevicePointer v;
        final DevicePointer a;
        final DevicePointer copy;

        Bench(Gpu gpu, Arenas start) {
            this.gpu = gpu;
            this.start = start;
            w = gpu.put(start.w);
            g = gpu.put(start.g);
            v = gpu.put(start.v);
            a = gpu.put(start.a);
            copy = Elements.BFLOAT16.put(gpu, start.w);
        }

        void step(DevicePointer control, int blocks, boolean nesterov, float... pull) {
            int quads = start.w.length / 4;
            gpu.launch(
                    "step.cu",
                    "step",
                    blocks,
                    w,
                    g,
                    v,
                    a,
                    control,
                    LR.length,
                    quads,
                    start.split / 4,
                    MU,
                    WD,
                    nesterov ? 1 : 0,
                    pull.length,
                    copy);
        }

        void require(Arenas expected) {
            assertArrayEquals(expected.w, gpu.floats(w, expected.w.length), "w");
            assertArrayEquals(expected.v, gpu.floats(v, expected.v.length), "v");
            assertArrayEquals(expected.a, gpu.floats(a, expected.a.length), "a");
            float[] rounded = Elements.BFLOAT16.rounded(expected.w);
            assertArrayEquals(rounded, Elements.BFLOAT16.read(gpu, copy, rounded.length), "copy");
        }
    }

    @Test
    void everyBitIsThatOfTheScalarUpdateForEveryTableEntryRuleSizeAndGrid() {
        Gpu.run("step", gpu -> {
            for (int n : new int[] {64, 4 * 257, 64 * 333}) {
                for (boolean nesterov : new boolean[] {false, true}) {
                    for (int split : new int[] {0, 4 * (n / 9), n}) {
                        checkSteps(gpu, n, split, nesterov);
                        checkSteps(gpu, n, split, nesterov, PULL);
                    }
                }
            }
        });
    }

    private static void checkSteps(Gpu gpu, int n, int split, boolean nesterov, float... pull) {
        Arenas expected = Arenas.of(n, split);
        Bench bench = new Bench(gpu, Arenas.of(n, split));
        for (int t = 0; t < LR.length; t++) {
            expected.update(t, nesterov, pull);
            bench.step(gpu.control(t, false, LR, ALPHA, pull), 1 + t * 7, nesterov, pull);
            bench.require(expected);
        }
    }

    @Test
    void nothingMovesAfterALossThatWasNotFiniteNorPastTheTables() {
        Gpu.run("step", gpu -> {
            Bench bench = new Bench(gpu, Arenas.of(1024, 512));
            bench.step(gpu.control(1, true, LR, ALPHA), 4, false);
            bench.step(gpu.control(LR.length, false, LR, ALPHA), 4, false);
            bench.step(gpu.control(LR.length, false, LR, ALPHA, PULL), 4, false, PULL);
            bench.require(Arenas.of(1024, 512));
        });
    }

    @Test
    void aParameterCostsTwentyBytesTwentyEightWhereTheStepAveragesAndTwoMoreForItsCopy() {
        Gpu.run("traffic of step", gpu -> {
            int n = 1 << 18;
            int blocks = 64;
            for (int what = 0; what < 4; what++) {
                boolean copying = what > 1;
                Traffic traffic = Traffic.ofStep(gpu, n, blocks, what % 2 == 1, copying);
                if (traffic == null) return;
                long perParameter = what % 2 == 1 ? 28 : 20;
                long tables = 24L * blocks;
                assertEquals((perParameter + (copying ? 2 : 0)) * n + tables, traffic.loaded() + traffic.stored());
                assertEquals(perParameter * n, traffic.wide());
                if (copying) continue;
                assertTrue(traffic.wideShare() > 0.99, traffic.toString());
                assertEquals(1, traffic.launches());
            }
        });
    }

    /** A pull reads the average, which a step that averages has read already. */
    @Test
    void aPullCostsFourBytesMoreWhereTheStepDoesNotAverageAndNothingWhereItIsZero() {
        Gpu.run("traffic of a pull", gpu -> {
            int n = 1 << 16;
            long[] perParameter = {20, 24, 24, 28, 28, 28};
            for (int what = 0; what < 6; what++) {
                float pull = new float[] {0, 0.5f, 1}[what % 3];
                Traffic traffic = Traffic.ofStep(gpu, n, 8, what >= 3, false, pull);
                if (traffic == null) return;
                assertEquals(perParameter[what] * n + 28 * 8, traffic.loaded() + traffic.stored(), "pull " + pull);
            }
        });
    }

    @Test
    void aBendFollowsItsGradientByItsShareOfThePoint() {
        Gpu.run("bend", gpu -> {
            int n = 4 * 301;
            float[] coefficients = {0.25f, 0.5f, 0.25f, 0.1f, 0.3f, 0.6f};
            for (int rows : new int[] {1, 2}) {
                for (boolean nesterov : new boolean[] {false, true}) {
                    DevicePointer table = gpu.put(Arrays.copyOf(coefficients, 3 * rows));
                    float c = coefficients[3 * (rows - 1) + 1];
                    checkBend(gpu, Arenas.of(n, 4 * 100), table, rows, c, nesterov);
                }
            }
        });
    }

    /** Step 1 of the middle one of three points; the point lies in `a`. */
    private static void checkBend(Gpu gpu, Arenas x, DevicePointer table, int rows, float c, boolean nesterov) {
        int n = x.w.length;
        DevicePointer p = gpu.put(x.a);
        DevicePointer v = gpu.put(x.v);
        DevicePointer w = gpu.put(x.w);
        DevicePointer g = gpu.put(x.g);
        DevicePointer control = gpu.control(1, false, LR, ALPHA);
        gpu.launch(
                "step.cu",
                "bend",
                3,
                p,
                v,
                w,
                g,
                control,
                LR.length,
                n / 4,
                x.split / 4,
                MU,
                WD,
                nesterov ? 1 : 0,
                table,
                rows,
                3,
                1);
        for (int i = 0; i < n; i++) {
            float d = c * (x.g[i] + (i < x.split ? WD : 0) * x.w[i]);
            x.v[i] = MU * x.v[i] + d;
            x.a[i] = x.a[i] - LR[1] * (nesterov ? d + MU * x.v[i] : x.v[i]);
        }
        assertArrayEquals(x.v, gpu.floats(v, n));
        assertArrayEquals(x.a, gpu.floats(p, n));
        assertArrayEquals(x.w, gpu.floats(w, n));
        assertArrayEquals(x.g, gpu.floats(g, n));
    }

    @Test
    void tickCountsAndChangesNothingElse() {
        Gpu.run("tick", gpu -> {
            DevicePointer control = gpu.control((1L << 32) - 1, false, LR, ALPHA);
            long[] before = gpu.longs(control, 11);
            gpu.launch("step.cu", "tick", Gpu.Grid.ONE, control);
            before[0]++;
            assertArrayEquals(before, gpu.longs(control, 11));
        });
    }
}
