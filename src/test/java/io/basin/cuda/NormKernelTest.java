package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Close;
import io.basin.device.Draws;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Batch norm's statistics against two passes in double; what comes of them is in {@link NormElementsTest}. */
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
        final DevicePointer pivot;
        final DevicePointer mean;
        final DevicePointer var;
        DevicePointer partial;

        Bench(Gpu gpu, int channels) {
            this.gpu = gpu;
            this.channels = channels;
            population = gpu.empty(24L * channels);
            pivot = gpu.empty(4L * channels);
            mean = gpu.empty(4L * channels);
            var = gpu.empty(4L * channels);
            gpu.launch("norm.cu", "reset", 1, population, channels);
        }

        void sums(String kernel, float[] x, int slabs) {
            int rows = x.length / channels;
            partial = gpu.empty(16L * slabs * channels);
            Gpu.Grid grid = Gpu.Grid.rows(rows, channels, 4).slabs(slabs);
            gpu.launch("norm.cu", kernel, grid, gpu.put(x), partial, pivot, rows, channels);
        }

        void measure(float[] x, int slabs) {
            int rows = x.length / channels;
            sums("measure", x, slabs);
            int blocks = (channels + 255) / 256;
            gpu.launch("norm.cu", "merge", blocks, partial, pivot, population, mean, var, rows, channels, slabs);
        }

        /** As a training step does it: moves the running statistics by m toward the batch's. */
        void train(
                float[] x,
                int slabs,
                DevicePointer runningMean,
                DevicePointer runningVar,
                DevicePointer bias,
                double m) {
            int rows = x.length / channels;
            sums("moments", x, slabs);
            gpu.launch(
                    "norm.cu",
                    "finalise",
                    2,
                    partial,
                    pivot,
                    mean,
                    var,
                    runningMean,
                    runningVar,
                    bias,
                    m,
                    rows,
                    channels,
                    slabs);
        }

        void train(float[] x, int slabs) {
            train(x, slabs, gpu.put(new float[channels]), gpu.put(new float[channels]), null, 0.1);
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

        void check(Close close, float[] x) {
            close.check("mean", floats(Exact.of(x, channels).mean), gpu.floats(mean, channels));
            close.check("variance", floats(Exact.of(x, channels).var), gpu.floats(var, channels));
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

    /** The first row is what means are relative to, and a value beside it the first of another thread. */
    @Test
    void oneValueFarFromAllOthersTakesNothingFromATrainingBatchsVariance() {
        Gpu.run("moments", gpu -> {
            for (int far : new int[] {0, 1, 700}) {
                float[] x = data(4000, 2, 0);
                x[2 * far] = 1e4f;
                Bench bench = new Bench(gpu, 2);
                bench.train(x, 3);
                Exact exact = Exact.of(x, 2);
                Close.GRADIENT.check("variance", floats(exact.var), gpu.floats(bench.var, 2));
                double deviation = Math.sqrt(exact.var[0]);
                Close.GRADIENT.check("mean", floats(exact.mean), gpu.floats(bench.mean, 2), deviation);
            }
        });
    }

    @Test
    void aVarianceAHundredThousandTimesBelowTheMeanSurvivesFloat32() {
        Gpu.run("moments", gpu -> {
            for (int channels : new int[] {1, 3, 4, 40}) {
                float[] x = Draws.normal(6, 5000L * channels);
                for (int i = 0; i < x.length; i++) x[i] = 1000 + 0.01f * x[i];
                Bench bench = new Bench(gpu, channels);
                bench.train(x, 9);
                bench.check(Close.GRADIENT, x);
            }
        });
    }

    @Test
    void slabsThatAreLeftEmptyCountForNothing() {
        Gpu.run("measure", gpu -> {
            float[] x = data(10, 4, 1);
            Bench bench = new Bench(gpu, 4);
            bench.measure(x, 7);
            bench.check(Close.ROUNDING, x);
            bench.train(x, 7);
            bench.check(Close.ROUNDING, x);
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
    void runningStatisticsTakeTheUnbiasedVariance() {
        Gpu.run("finalise", gpu -> {
            int channels = 35;
            double m = 0.1;
            for (int rows : new int[] {1, 2, 4096}) {
                float[] x = data(rows, channels, 1);
                float[] start = new float[channels];
                for (int c = 0; c < channels; c++) start[c] = c;
                DevicePointer runningMean = gpu.put(start);
                Arrays.fill(start, 2);
                DevicePointer runningVar = gpu.put(start);
                Bench bench = new Bench(gpu, channels);
                float[] bias = Draws.normal(rows, channels);
                bench.train(x, 4, runningMean, runningVar, rows == 2 ? null : gpu.put(bias), m);
                bench.check(Close.GRADIENT, x);
                float[] mean = gpu.floats(bench.mean, channels);
                float[] var = gpu.floats(bench.var, channels);
                for (int c = 0; c < channels; c++) {
                    mean[c] = (float) ((1 - m) * c + m * (mean[c] + (rows == 2 ? 0.0 : bias[c])));
                    var[c] = (float) ((1 - m) * 2 + m * var[c] * (rows > 1 ? rows / (rows - 1.0) : 1));
                }
                Close.ROUNDING.check("running mean", mean, gpu.floats(runningMean, channels));
                Close.ROUNDING.check("running variance", var, gpu.floats(runningVar, channels));
            }
        });
    }
}
