package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Close;
import io.basin.device.Draws;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Batch norm forward and backward, kernel by kernel, against its formulas in double; float32 and bfloat16 elements. */
class NormElementsTest {
    private static final float EPS = 1e-5f;

    /** A batch with what forward and backward make of it. */
    private static final class Case {
        final Elements type;
        final int rows;
        final int channels;
        final boolean relu;
        final float[] x;
        final float[] residual;
        final float[] dy;
        final float[] scale;
        final float[] shift;
        final float[] mean;
        final float[] var;
        final float[] y;
        final float[] g;
        final float[] dx;
        final float[] dScale;
        final float[] dShift;
        /** The largest of the terms whose sum dx is: with few rows they cancel. */
        double terms;

        Case(Elements type, int rows, int channels, boolean relu, boolean residual) {
            this.type = type;
            this.rows = rows;
            this.channels = channels;
            this.relu = relu;
            int n = rows * channels;
            x = type.rounded(Draws.normal(1, n));
            this.residual = residual ? type.rounded(Draws.normal(2, n)) : new float[n];
            dy = type.rounded(Draws.normal(3, n));
            scale = Draws.normal(4, channels);
            shift = Draws.normal(5, channels);
            mean = new float[channels];
            var = new float[channels];
            y = new float[n];
            g = new float[n];
            dx = new float[n];
            dScale = new float[channels];
            dShift = new float[channels];
            for (int c = 0; c < channels; c++) column(c);
        }

        private void column(int c) {
            double m = 0;
            double v = 0;
            for (int i = c; i < x.length; i += channels) m += (double) x[i] / rows;
            for (int i = c; i < x.length; i += channels) v += Math.pow(x[i] - m, 2) / rows;
            double d = 1 / Math.sqrt(v + EPS);
            double sum = 0;
            double product = 0;
            for (int i = c; i < x.length; i += channels) {
                double z = (x[i] - m) * d * scale[c] + shift[c] + residual[i];
                y[i] = (float) (relu ? Math.max(0, z) : z);
                g[i] = relu && z <= 0 ? 0 : dy[i];
                sum += g[i];
                product += g[i] * (x[i] - m) * d;
            }
            for (int i = c; i < x.length; i += channels) {
                terms = Math.max(terms, Math.abs(scale[c] * d * g[i]));
                dx[i] = (float) (scale[c] * d * (g[i] - sum / rows - (x[i] - m) * d * product / rows));
            }
            mean[c] = (float) m;
            var[c] = (float) v;
            dShift[c] = (float) sum;
            dScale[c] = (float) product;
        }
    }

    /** One case's arrays on the GPU. */
    private static final class Bench {
        final Gpu gpu;
        final Case of;
        final Gpu.Grid grid;
        final DevicePointer x;
        final DevicePointer dy;
        final DevicePointer y;
        final DevicePointer g;
        final DevicePointer dx;
        final DevicePointer mean;
        final DevicePointer var;
        final DevicePointer scale;
        final DevicePointer shift;
        final DevicePointer dScale;
        final DevicePointer dShift;

        Bench(Gpu gpu, Case of) {
            this.gpu = gpu;
            this.of = of;
            grid = Gpu.Grid.rows(of.rows, of.channels, of.type.bytes);
            long bytes = (long) of.type.bytes * of.x.length;
            x = of.type.put(gpu, of.x);
            dy = of.type.put(gpu, of.dy);
            y = gpu.empty(bytes);
            g = gpu.empty(bytes);
            dx = gpu.empty(bytes);
            mean = gpu.put(of.mean);
            var = gpu.put(of.var);
            scale = gpu.put(of.scale);
            shift = gpu.put(of.shift);
            dScale = gpu.empty(4L * of.channels);
            dShift = gpu.empty(4L * of.channels);
        }

        private void overRows(String kernel, Object... arguments) {
            gpu.launch("norm.cu", kernel + of.type.suffix, grid, arguments);
        }

        void forward(DevicePointer residual) {
            overRows("normalise", y, x, residual, mean, var, scale, shift, EPS, of.rows, of.channels, relu(of.relu));
        }

        void backward(boolean masked) {
            int slabs = grid.blocksY();
            DevicePointer partial = gpu.empty(8L * slabs * of.channels);
            DevicePointer out = masked ? y : null;
            DevicePointer past = masked ? g : null;
            int relu = relu(of.relu);
            overRows(
                    "gradientSums",
                    x,
                    dy,
                    out,
                    past,
                    mean,
                    var,
                    scale,
                    shift,
                    partial,
                    EPS,
                    of.rows,
                    of.channels,
                    relu);
            gpu.launch("norm.cu", "parameterGradients", 2, partial, var, dScale, dShift, EPS, of.channels, slabs);
            DevicePointer from = masked ? g : dy;
            int again = relu(of.relu && !masked);
            overRows(
                    "inputGradient",
                    dx,
                    x,
                    from,
                    mean,
                    var,
                    scale,
                    shift,
                    dScale,
                    dShift,
                    EPS,
                    of.rows,
                    of.channels,
                    again);
        }

        private static int relu(boolean on) {
            return on ? 1 : 0;
        }

        void check(String what, float[] expected, DevicePointer actual) {
            of.type.close.check(
                    what, expected, of.type.read(gpu, actual, expected.length), what.equals("dx") ? of.terms : 0);
        }

        void checkVector(String what, float[] expected, DevicePointer actual) {
            Close.GRADIENT.check(what, expected, gpu.floats(actual, expected.length));
        }
    }

    /** Channels that 16 bytes divide and others; rows for one slab and for several. */
    private static void each(java.util.function.Consumer<int[]> body) {
        for (int channels : new int[] {1, 3, 8, 13, 36, 264})
            for (int rows : new int[] {2, 77, 2500}) {
                if (rows * channels < 100_000) body.accept(new int[] {rows, channels});
            }
    }

    @Test
    void forwardAndBackwardAreTheFormulas() {
        Gpu.run("batch norm", gpu -> {
            for (Elements type : Elements.values())
                for (boolean relu : new boolean[] {false, true})
                    each(size -> {
                        Case of = new Case(type, size[0], size[1], relu, false);
                        Bench bench = new Bench(gpu, of);
                        bench.forward(null);
                        bench.check("y", of.y, bench.y);
                        bench.backward(false);
                        bench.checkVector("dScale", of.dScale, bench.dScale);
                        bench.checkVector("dShift", of.dShift, bench.dShift);
                        bench.check("dx", of.dx, bench.dx);
                    });
        });
    }

    @Test
    void aResidualIsAddedBeforeTheReluAndItsGradientIsLeft() {
        Gpu.run("batch norm with residual", gpu -> {
            for (Elements type : Elements.values())
                each(size -> {
                    Case of = new Case(type, size[0], size[1], true, true);
                    Bench bench = new Bench(gpu, of);
                    bench.forward(type.put(gpu, of.residual));
                    bench.check("y", of.y, bench.y);
                    bench.backward(true);
                    assertArrayEquals(of.g, type.read(gpu, bench.g, of.g.length));
                    bench.checkVector("dScale", of.dScale, bench.dScale);
                    bench.checkVector("dShift", of.dShift, bench.dShift);
                    bench.check("dx", of.dx, bench.dx);
                });
        });
    }

    /** With scale 0, y is the shift, rounded: halves to even, infinities and NaN kept. */
    @Test
    void bfloat16IsRoundedToTheNearestAndTiesToEven() {
        Gpu.run("rounding", gpu -> {
            float tie = 1 + 0x1p-8f;
            List<float[]> pairs = List.of(
                    new float[] {1, tie},
                    new float[] {1 + 0x1p-6f, 1 + 3 * 0x1p-8f},
                    new float[] {1 + 0x1p-7f, Math.nextUp(tie)},
                    new float[] {-1, -tie},
                    new float[] {Float.POSITIVE_INFINITY, Float.MAX_VALUE},
                    new float[] {Float.NEGATIVE_INFINITY, Float.NEGATIVE_INFINITY},
                    new float[] {Float.NaN, Float.NaN},
                    new float[] {0, 0});
            for (int channels : new int[] {1, 8}) {
                for (float[] pair : pairs) {
                    DevicePointer y = gpu.empty(2L * channels);
                    DevicePointer zeros = gpu.put(new float[channels]);
                    float[] shift = new float[channels];
                    java.util.Arrays.fill(shift, pair[1]);
                    gpu.launch(
                            "norm.cu",
                            "normaliseBf16",
                            Gpu.Grid.rows(1, channels, 2),
                            y,
                            gpu.put(new short[channels]),
                            null,
                            zeros,
                            zeros,
                            zeros,
                            gpu.put(shift),
                            1f,
                            1,
                            channels,
                            0);
                    for (float actual : Elements.BFLOAT16.read(gpu, y, channels)) assertEquals(pair[0], actual);
                }
            }
        });
    }
}
