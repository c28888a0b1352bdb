package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Close;
import io.basin.device.Draws;
import io.basin.random.Philox;
import io.basin.random.Streams;
import org.junit.jupiter.api.Test;

/** Elementwise kernels against scalar Java, bit for bit, with sizes that are no multiple of a quad among them. */
class PointwiseKernelTest {
    private static final int[] SIZES = {1, 3, 4, 255, 1026, 4099};

    private static float[] launch(Gpu gpu, String kernel, int n, Object... rest) {
        DevicePointer y = gpu.empty(4L * n);
        Object[] arguments = new Object[rest.length + 1];
        arguments[0] = y;
        System.arraycopy(rest, 0, arguments, 1, rest.length);
        gpu.launch("pointwise.cu", kernel, Gpu.blocks(n / 4), arguments);
        return gpu.floats(y, n);
    }

    private static float relu(float x) {
        return x < 0 ? 0 : x;
    }

    @Test
    void reluPassesWhatIsNotNegativeAndNaNAndItsGradientFollows() {
        Gpu.run("relu", gpu -> {
            for (int n : SIZES) {
                float[] x = Draws.normal(n, n);
                x[n / 2] = Float.NaN;
                float[] dy = Draws.normal(n + 1, n);
                float[] y = new float[n];
                float[] dx = new float[n];
                for (int i = 0; i < n; i++) {
                    y[i] = relu(x[i]);
                    dx[i] = y[i] > 0 ? dy[i] : 0;
                }
                assertArrayEquals(y, launch(gpu, "relu", n, gpu.put(x), n));
                assertArrayEquals(dx, launch(gpu, "reluBackward", n, gpu.put(dy), gpu.put(y), n));
            }
        });
    }

    @Test
    void sumsAreExactWithAndWithoutRelu() {
        Gpu.run("add", gpu -> {
            for (int n : SIZES) {
                for (int relu = 0; relu < 2; relu++) {
                    float[] a = Draws.normal(n, n);
                    float[] b = Draws.normal(n + 2, n);
                    float[] y = new float[n];
                    for (int i = 0; i < n; i++) y[i] = relu == 1 ? relu(a[i] + b[i]) : a[i] + b[i];
                    assertArrayEquals(y, launch(gpu, "add", n, gpu.put(a), gpu.put(b), n, relu));
                }
            }
        });
    }

    @Test
    void finishingAddsWhatIsThereInPlace() {
        Gpu.run("finish", gpu -> {
            int channels = 7;
            int n = channels * 131;
            float[] x = Draws.normal(1, n);
            float[] b = Draws.normal(2, channels);
            float[] r = Draws.normal(3, n);
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
                DevicePointer y = gpu.put(x);
                gpu.launch(
                        "pointwise.cu",
                        "finish",
                        Gpu.blocks(n / 4),
                        y,
                        bias ? gpu.put(b) : null,
                        residual ? gpu.put(r) : null,
                        n,
                        channels,
                        relu ? 1 : 0);
                assertArrayEquals(expected, gpu.floats(y, n), "case " + what);
            }
        });
    }

    @Test
    void columnsAreSummedInOnePassOrTwo() {
        Gpu.run("columnSums", gpu -> {
            for (int channels : new int[] {1, 10, 33, 64}) {
                for (int rows : new int[] {1, 7, 1000}) {
                    float[] x = Draws.normal(rows, (long) rows * channels);
                    double[] expected = new double[channels];
                    for (int i = 0; i < x.length; i++) expected[i % channels] += x[i];
                    float[] wanted = new float[channels];
                    for (int c = 0; c < channels; c++) wanted[c] = (float) expected[c];
                    DevicePointer data = gpu.put(x);
                    Close.GRADIENT.check("one", wanted, columns(gpu, data, rows, channels, 1), 1);
                    Close.GRADIENT.check("two", wanted, columns(gpu, data, rows, channels, 5), 1);
                    assertArrayEquals(columns(gpu, data, rows, channels, 5), columns(gpu, data, rows, channels, 5));
                }
            }
        });
    }

    private static float[] columns(Gpu gpu, DevicePointer x, int rows, int channels, int slabs) {
        DevicePointer sums = gpu.empty(4L * channels * slabs);
        gpu.launch("pointwise.cu", "columnSums", Gpu.Grid.columns(channels, slabs), sums, x, rows, channels);
        if (slabs == 1) return gpu.floats(sums, channels);
        DevicePointer total = gpu.empty(4L * channels);
        gpu.launch("pointwise.cu", "columnSums", Gpu.Grid.columns(channels, 1), total, sums, slabs, channels);
        return gpu.floats(total, channels);
    }

    @Test
    void dropoutMasksAreThoseOfLogicalOrderForEveryShapeStepAndSeed() {
        Gpu.run("dropout", gpu -> {
            for (long seed : new long[] {0, 42, -7}) {
                for (long step : new long[] {0, 1, 1L << 33}) {
                    for (int[] shape : new int[][] {{5, 17, 99}, {3, 1, 7}, {9, 130, 1}, {1, 3, 1}}) {
                        checkDropout(gpu, shape[0], shape[1], shape[2], 0.3, seed, step);
                    }
                }
            }
            checkDropout(gpu, 3, 5, 4, 0, 1, 1);
        });
    }

    @Test
    void anElementWhoseDrawIsExactlyPIsKept() {
        Gpu.run("dropout", gpu -> {
            int[] words = new int[4];
            Philox.block(0, 7, 0, Streams.DROPOUT, 1, 0, words);
            double p = Philox.unit(words[2]);
            checkDropout(gpu, 1, 4, 1, p, 1, 7);
            checkDropout(gpu, 1, 4, 1, Math.nextUp(p), 1, 7);
        });
    }

    /** x is (n, pixels, channels); the mask counts in (n, channels, pixels). */
    private static void checkDropout(Gpu gpu, int n, int channels, int pixels, double p, long seed, long step) {
        int size = n * channels * pixels;
        float[] x = Draws.normal(5, size);
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
        float[] y = launch(gpu, "dropout", size, gpu.put(x), control, size, channels, pixels, seed, threshold, scale);
        assertArrayEquals(expected, y);
    }

    @Test
    void aUsersFunctionIsCompiledFromItsTwoExpressions() {
        Gpu.run("map", gpu -> {
            String source = "#define BASIN_VALUE x > 1 ? x * x : 0.5f * x\n#define BASIN_SLOPE x > 1 ? 2 * x : 0.5f\n"
                    + Compiler.resource("map.cu");
            int n = 1027;
            float[] x = Draws.normal(1, n);
            float[] dy = Draws.normal(2, n);
            float[] y = new float[n];
            float[] dx = new float[n];
            for (int i = 0; i < n; i++) {
                y[i] = x[i] > 1 ? x[i] * x[i] : 0.5f * x[i];
                dx[i] = dy[i] * (x[i] > 1 ? 2 * x[i] : 0.5f);
            }
            DevicePointer out = gpu.put(x);
            gpu.launchSource("map.cu", source, "mapBackward", 2, out, gpu.put(dy), out, n);
            assertArrayEquals(dx, gpu.floats(out, n));
            DevicePointer value = gpu.empty(4L * n);
            gpu.launchSource("map.cu", source, "map", 2, value, gpu.put(x), n);
            assertArrayEquals(y, gpu.floats(value, n));
        });
    }

    @Test
    void whatIsLargeMovesSixteenBytesAtATime() {
        Gpu.run("traffic of pointwise kernels", gpu -> {
            int n = 4096;
            DevicePointer x = gpu.put(Draws.normal(1, n));
            Traffic relu = Traffic.of(gpu, "relu", () -> launch(gpu, "relu", n, x, n));
            if (relu == null) return;
            assertEquals(8L * n, relu.wide());
            assertEquals(1.0, relu.wideShare());
            Traffic add = Traffic.of(gpu, "add", () -> launch(gpu, "add", n, x, x, n, 0));
            assertEquals(12L * n, add.wide());
        });
    }
}
