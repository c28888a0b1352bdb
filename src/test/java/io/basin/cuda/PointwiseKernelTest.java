package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Close;
import io.basin.device.Draws;
import io.basin.random.Philox;
import io.basin.random.Streams;
import java.util.function.BiConsumer;
import org.junit.jupiter.api.Test;

/** Elementwise kernels against scalar Java, bit for bit, with sizes that are no multiple of a quad among them. */
class PointwiseKernelTest {
    private static final int[] SIZES = {1, 3, 4, 255, 1026, 4099};

    /** y of a kernel that rounds each to its elements. */
    private static float[] launch(Gpu gpu, Elements of, String kernel, int n, Object... rest) {
        DevicePointer y = gpu.empty((long) of.bytes * n);
        Object[] arguments = new Object[rest.length + 1];
        arguments[0] = y;
        System.arraycopy(rest, 0, arguments, 1, rest.length);
        gpu.launch("pointwise.cu", kernel + of.suffix, Gpu.blocks(n / 4), arguments);
        return of.read(gpu, y, n);
    }

    /** The work for float32 and for bfloat16. */
    private static void each(String what, BiConsumer<Gpu, Elements> work) {
        Gpu.run(what, gpu -> {
            for (Elements of : Elements.values()) work.accept(gpu, of);
        });
    }

    private static float relu(float x) {
        return x < 0 ? 0 : x;
    }

    @Test
    void reluPassesWhatIsNotNegativeAndNaNAndItsGradientFollows() {
        each("relu", (gpu, of) -> {
            for (int n : SIZES) {
                float[] x = of.rounded(Draws.normal(n, n));
                x[n / 2] = Float.NaN;
                float[] dy = of.rounded(Draws.normal(n + 1, n));
                float[] y = new float[n];
                float[] dx = new float[n];
                for (int i = 0; i < n; i++) {
                    y[i] = relu(x[i]);
                    dx[i] = y[i] > 0 ? dy[i] : 0;
                }
                assertArrayEquals(y, launch(gpu, of, "relu", n, of.put(gpu, x), n));
                assertArrayEquals(dx, launch(gpu, of, "reluBackward", n, of.put(gpu, dy), of.put(gpu, y), n));
            }
        });
    }

    @Test
    void sumsAreExactWithAndWithoutRelu() {
        each("add", (gpu, of) -> {
            for (int n : SIZES) {
                for (int relu = 0; relu < 2; relu++) {
                    float[] a = of.rounded(Draws.normal(n, n));
                    float[] b = of.rounded(Draws.normal(n + 2, n));
                    float[] y = new float[n];
                    for (int i = 0; i < n; i++) y[i] = relu == 1 ? relu(a[i] + b[i]) : a[i] + b[i];
                    float[] sums = launch(gpu, of, "add", n, of.put(gpu, a), of.put(gpu, b), n, relu);
                    assertArrayEquals(of.rounded(y), sums);
                }
            }
        });
    }

    @Test
    void finishingAddsWhatIsThereInPlace() {
        each("finish", (gpu, of) -> {
            int channels = 7;
            int n = channels * 131;
            float[] x = of.rounded(Draws.normal(1, n));
            float[] b = Draws.normal(2, channels);
            float[] r = of.rounded(Draws.normal(3, n));
            for (int what = 0; what < 8; what++) {
                boolean bias = (what & 1) != 0;
                boolean residual = (what & 2) != 0;
                boolean relu = (what & 4) != 0;
                float[] expected = x.clone();
                for (int i = 0; i < n; i++) {
                    if (bias) expected[i] += b[i % channels];
                    if (residual) expected[i] += r[i];
                    if (relu) expected[i] = relu(expected[i]);
                }
                DevicePointer y = of.put(gpu, x);
                gpu.launch(
                        "pointwise.cu",
                        "finish" + of.suffix,
                        Gpu.blocks(n / 4),
                        y,
                        bias ? gpu.put(b) : null,
                        residual ? of.put(gpu, r) : null,
                        n,
                        channels,
                        relu ? 1 : 0);
                assertArrayEquals(of.rounded(expected), of.read(gpu, y, n), of + " case " + what);
            }
        });
    }

    @Test
    void columnsAreSummedInOnePassOrTwo() {
        each("columnSums", (gpu, of) -> {
            for (int channels : new int[] {1, 10, 33, 64}) {
                for (int rows : new int[] {1, 7, 1000}) {
                    float[] x = of.rounded(Draws.normal(rows, (long) rows * channels));
                    double[] expected = new double[channels];
                    for (int i = 0; i < x.length; i++) expected[i % channels] += x[i];
                    float[] wanted = new float[channels];
                    for (int c = 0; c < channels; c++) wanted[c] = (float) expected[c];
                    DevicePointer data = of.put(gpu, x);
                    Close.GRADIENT.check("one", wanted, columns(gpu, of, data, rows, channels, 1), 1);
                    Close.GRADIENT.check("two", wanted, columns(gpu, of, data, rows, channels, 5), 1);
                    assertArrayEquals(
                            columns(gpu, of, data, rows, channels, 5), columns(gpu, of, data, rows, channels, 5));
                }
            }
        });
    }

    private static float[] columns(Gpu gpu, Elements of, DevicePointer x, int rows, int channels, int slabs) {
        DevicePointer sums = gpu.empty(4L * channels * slabs);
        Gpu.Grid grid = Gpu.Grid.columns(channels, slabs);
        gpu.launch("pointwise.cu", "columnSums" + of.suffix, grid, sums, x, rows, channels);
        if (slabs == 1) return gpu.floats(sums, channels);
        DevicePointer total = gpu.empty(4L * channels);
        gpu.launch("pointwise.cu", "columnSums", Gpu.Grid.columns(channels, 1), total, sums, slabs, channels);
        return gpu.floats(total, channels);
    }

    @Test
    void dropoutMasksAreThoseOfLogicalOrderForEveryShapeStepAndSeed() {
        each("dropout", (gpu, of) -> {
            for (long seed : new long[] {0, 42, -7}) {
                for (long step : new long[] {0, 1, 1L << 33}) {
                    for (int[] shape : new int[][] {{5, 17, 99}, {3, 1, 7}, {9, 130, 1}, {1, 3, 1}}) {
                        checkDropout(gpu, of, shape[0], shape[1], shape[2], 0.3, seed, step);
                    }
                }
            }
            checkDropout(gpu, of, 3, 5, 4, 0, 1, 1);
        });
    }

    @Test
    void anElementWhoseDrawIsExactlyPIsKept() {
        Gpu.run("dropout", gpu -> {
            int[] words = new int[4];
            Philox.block(0, 7, 0, Streams.DROPOUT, 1, 0, words);
            double p = Philox.unit(words[2]);
            checkDropout(gpu, Elements.FLOAT32, 1, 4, 1, p, 1, 7);
            checkDropout(gpu, Elements.FLOAT32, 1, 4, 1, Math.nextUp(p), 1, 7);
        });
    }

    /** x is (n, pixels, channels); the mask counts in (n, channels, pixels). */
    private static void checkDropout(
            Gpu gpu, Elements of, int n, int channels, int pixels, double p, long seed, long step) {
        int size = n * channels * pixels;
        float[] x = of.rounded(Draws.normal(5, size));
        float[] expected = new float[size];
        float scale = (float) (1 / (1 - p));
        int[] words = new int[4];
        for (int logical = 0; logical < size; logical++) {
            Philox.block(
                    logical / 4,
                    (int) step,
                    (int) (step >>> 32),
                    Streams.DROPOUT,
                    (int) seed,
                    (int) (seed >>> 32),
                    words);
            int image = logical / (channels * pixels);
            int c = logical / pixels % channels;
            int stored = (image * pixels + logical % pixels) * channels + c;
            expected[stored] = Philox.unit(words[logical % 4]) >= p ? x[stored] * scale : 0;
        }
        int threshold = (int) Math.ceil(p * 0x1p24);
        DevicePointer control = gpu.control(step, false, new float[0], new float[0]);
        DevicePointer in = of.put(gpu, x);
        float[] y = launch(gpu, of, "dropout", size, in, control, size, channels, pixels, seed, threshold, scale);
        assertArrayEquals(of.rounded(expected), y);
    }

    @Test
    void aUsersFunctionIsCompiledFromItsTwoExpressions() {
        each("map", (gpu, of) -> {
            String source = "#define BASIN_VALUE x > 1 ? x * x : 0.5f * x\n#define BASIN_SLOPE x > 1 ? 2 * x : 0.5f\n"
                    + Compiler.resource("map.cu");
            int n = 1027;
            float[] x = of.rounded(Draws.normal(1, n));
            float[] dy = of.rounded(Draws.normal(2, n));
            float[] y = new float[n];
            float[] dx = new float[n];
            for (int i = 0; i < n; i++) {
                y[i] = x[i] > 1 ? x[i] * x[i] : 0.5f * x[i];
                dx[i] = dy[i] * (x[i] > 1 ? 2 * x[i] : 0.5f);
            }
            DevicePointer out = of.put(gpu, x);
            gpu.launchSource("map.cu", source, "mapBackward" + of.suffix, 2, out, of.put(gpu, dy), out, n);
            assertArrayEquals(of.rounded(dx), of.read(gpu, out, n));
            DevicePointer value = gpu.empty((long) of.bytes * n);
            gpu.launchSource("map.cu", source, "map" + of.suffix, 2, value, of.put(gpu, x), n);
            assertArrayEquals(of.rounded(y), of.read(gpu, value, n));
        });
    }

    @Test
    void numbersAreRoundedToBfloat16AndReadBack() {
        Gpu.run("narrow", gpu -> {
            for (int n : SIZES) {
                float[] x = Draws.normal(n, n);
                DevicePointer halves = gpu.empty(2L * n);
                gpu.launch("pointwise.cu", "narrow", 2, halves, gpu.put(x), n);
                assertArrayEquals(Elements.BFLOAT16.rounded(x), Elements.BFLOAT16.read(gpu, halves, n));
                DevicePointer back = gpu.empty(4L * n);
                gpu.launch("pointwise.cu", "widen", 2, back, halves, n);
                assertArrayEquals(Elements.BFLOAT16.rounded(x), gpu.floats(back, n));
            }
        });
    }

    @Test
    void whatIsLargeMovesSixteenBytesAtATime() {
        each("traffic of pointwise kernels", (gpu, of) -> {
            int n = 4096;
            DevicePointer x = of.put(gpu, Draws.normal(1, n));
            Traffic relu = Traffic.of(gpu, "relu" + of.suffix, () -> launch(gpu, of, "relu", n, x, n));
            if (relu == null) return;
            assertEquals(2L * of.bytes * n, relu.wide());
            assertEquals(1.0, relu.wideShare());
            Traffic add = Traffic.of(gpu, "add" + of.suffix, () -> launch(gpu, of, "add", n, x, x, n, 0));
            assertEquals(3L * of.bytes * n, add.wide());
        });
    }
}
