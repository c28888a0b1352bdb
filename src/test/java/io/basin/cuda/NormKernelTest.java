package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Close;
import io.basin.device.Draws;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Batch norm's statistics against two passes in double. */
class NormKernelTest {
    /** Mean and biased variance of each channel of (rows, channels). */
    private record Exact(double[] mean, double[] var) {
        static Exact of(float[] x, int channels) {
            int rows = x.length / channels;
            double[] mean = new double[channels];
            double[] var = new double[channels];
            for (int i = 0; i < x.length; i++) mean[i % channels] += (double) x[i] / rows;
            for (int i = 0; i < x.length; i++) var[i % channels] += Math.pow(x[i] - mean[i % channels], 2) / rows;
            return new Exact(mean, var);
        }
    }

    private static float[] floats(double[] x) {
        float[] out = new float[x.length];
        for (int i = 0; i < x.length; i++) out[i] = (float) x[i];
        return out;
    }

    /** One norm's accumulators and results. */
    private static final class Bench {
        final Gpu gpu;
        final int channels;
        final DevicePointer population;
        final DevicePointer mean;
        final DevicePointer var;

        Bench(Gpu gpu, int channels) {
            this.gpu = gpu;
            this.channels = channels;
            population = gpu.empty(24L * channels);
            mean = gpu.empty(4L * channels);
            var = gpu.empty(4L * channels);
            gpu.launch("norm.cu", "reset", 1, population, channels);
        }

        void measure(float[] x, int slabs) {
            int rows = x.length / channels;
            DevicePointer data = gpu.put(x);
            DevicePointer partial = gpu.empty(16L * slabs * channels);
            gpu.launch("norm.cu", "measure", Gpu.Grid.columns(channels, slabs), data, partial, rows, channels);
            int blocks = (channels + 255) / 256;
            gpu.launch("norm.cu", "merge", blocks, data, partial, population, mean, var, rows, channels, slabs);
        }

        /** Running mean, then running variance. */
        float[][] write(String kernel, Object... from) {
            DevicePointer runningMean = gpu.empty(4L * channels);
            DevicePointer runningVar = gpu.empty(4L * channels);
            Object[] arguments = new Object[from.length + 3];
            arguments[0] = runningMean;
            arguments[1] = runningVar;
            System.arraycopy(from, 0, arguments, 2, from.length);
            arguments[from.length + 2] = channels;
            gpu.launch("norm.cu", kernel, (channels + 255) / 256, arguments);
            return new float[][] {gpu.floats(runningMean, channels), gpu.floats(runningVar, channels)};
        }
    }

    private static float[] data(int rows, int channels, float offset) {
        float[] x = Draws.normal(rows, (long) rows * channels);
        for (int i = 0; i < x.length; i++) x[i] += offset * (1 + i % channels) + (float) Math.sin(i / channels);
        return x;
    }

    @Test
    void thePopulationIsExactHoweverItIsCutIntoBatchesAndSlabs() {
        Gpu.run("measure", gpu -> {
            for (int channels : new int[] {1, 5, 33, 300}) {
                for (float offset : new float[] {0, 3000}) {
                    int rows = 500;
                    float[] x = data(rows, channels, offset);
                    Bench bench = new Bench(gpu, channels);
                    int from = 0;
                    for (int to : new int[] {1, 8, 300, 497, rows}) {
                        bench.measure(Arrays.copyOfRange(x, from * channels, to * channels), 1 + to % 7);
                        from = to;
                    }
                    float[][] committed = bench.write("commit", bench.population);
                    Exact exact = Exact.of(x, channels);
                    Close.ROUNDING.check("mean", floats(exact.mean), committed[0]);
                    Close.ROUNDING.check("variance", floats(exact.var), committed[1]);
                }
            }
        });
    }

    @Test
    void measuringTwiceGivesTheSameBits() {
        Gpu.run("measure", gpu -> {
            float[] x = data(777, 19, 1);
            double[][] seen = new double[2][];
            for (int run = 0; run < 2; run++) {
                Bench bench = new Bench(gpu, 19);
                bench.measure(x, 5);
                bench.measure(x, 5);
                seen[run] = gpu.doubles(bench.population, 3 * 19);
            }
            assertArrayEquals(seen[0], seen[1]);
            assertEquals(2 * 777, seen[0][0]);
        });
    }

    @Test
    void anAdoptedBatchLeavesItsOwnStatistics() {
        Gpu.run("adopt", gpu -> {
            Bench bench = new Bench(gpu, 40);
            bench.measure(data(50, 40, 2), 2);
            float[] x = data(31, 40, 5);
            bench.measure(x, 3);
            float[][] adopted = bench.write("adopt", bench.mean, bench.var);
            Close.ROUNDING.check("mean", floats(Exact.of(x, 40).mean), adopted[0]);
            Close.ROUNDING.check("variance", floats(Exact.of(x, 40).var), adopted[1]);
        });
    }

    @Test
    void runningStatisticsTakeTheUnbiasedVarianceOutOfTheSavedInverse() {
        Gpu.run("remember", gpu -> {
            int channels = 35;
            double eps = 1e-5;
            double m = 0.1;
            for (int rows : new int[] {1, 2, 4096}) {
                float[] mean = Draws.normal(1, channels);
                float[] inverse = new float[channels];
                float[] expectedMean = new float[channels];
                float[] expectedVar = new float[channels];
                for (int c = 0; c < channels; c++) {
                    double var = 0.1 + c;
                    inverse[c] = (float) (1 / Math.sqrt(var + eps));
                    expectedMean[c] = (float) ((1 - m) * c + m * mean[c]);
                    expectedVar[c] = (float) ((1 - m) * 2 + m * var * (rows > 1 ? rows / (rows - 1.0) : 1));
                }
                float[] start = new float[channels];
                for (int c = 0; c < channels; c++) start[c] = c;
                DevicePointer runningMean = gpu.put(start);
                Arrays.fill(start, 2);
                DevicePointer runningVar = gpu.put(start);
                gpu.launch(
                        "norm.cu",
                        "remember",
                        1,
                        runningMean,
                        runningVar,
                        gpu.put(mean),
                        gpu.put(inverse),
                        m,
                        eps,
                        rows,
                        channels);
                Close.ROUNDING.check("mean", expectedMean, gpu.floats(runningMean, channels));
                Close.ROUNDING.check("variance", expectedVar, gpu.floats(runningVar, channels));
            }
        });
    }

    @Test
    void normalisingWithStoredStatisticsIsTheFormula() {
        Gpu.run("normalise", gpu -> {
            int channels = 7;
            int n = 7 * 333;
            float[] x = data(n / channels, channels, 1);
            float[] mean = Draws.normal(2, channels);
            float[] scale = Draws.normal(3, channels);
            float[] shift = Draws.normal(4, channels);
            float[] var = {0.5f, 1, 2, 1e-3f, 4, 5, 6};
            for (int relu = 0; relu < 2; relu++) {
                float[] expected = new float[n];
                for (int i = 0; i < n; i++) {
                    int c = i % channels;
                    double y = (x[i] - mean[c]) / Math.sqrt(var[c] + 1e-5f) * scale[c] + shift[c];
                    expected[i] = (float) (relu == 1 ? Math.max(0, y) : y);
                }
                DevicePointer y = gpu.put(x);
                gpu.launch(
                        "norm.cu",
                        "normalise",
                        Gpu.blocks(n / 4),
                        y,
                        y,
                        gpu.put(mean),
                        gpu.put(var),
                        gpu.put(scale),
                        gpu.put(shift),
                        1e-5f,
                        n,
                        channels,
                        relu);
                Close.OPERATION.check("y", expected, gpu.floats(y, n));
            }
        });
    }
}
