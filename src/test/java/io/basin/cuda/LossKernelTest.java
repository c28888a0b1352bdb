package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Close;
import io.basin.device.Draws;
import org.junit.jupiter.api.Test;

/** Softmax, cross-entropy, hits and gradients against the same in double. */
class LossKernelTest {
    /** The loss of a batch in double, straight from its definition. */
    private static final class Expected {
        final float[] probabilities;
        final float[] gradient;
        double loss;
        int hits;
        int seen;

        Expected(float[] logits, int[] labels, int classes, double smoothing) {
            int rows = labels.length;
            probabilities = new float[logits.length];
            gradient = new float[logits.length];
            for (int r = 0; r < rows; r++) {
                double sum = 0;
                int best = 0;
                for (int k = 0; k < classes; k++) {
                    if (logits[r * classes + k] > logits[r * classes + best]) best = k;
                }
                double max = logits[r * classes + best];
                for (int k = 0; k < classes; k++) sum += Math.exp(logits[r * classes + k] - max);
                for (int k = 0; k < classes; k++) {
                    double log = logits[r * classes + k] - max - Math.log(sum);
                    double q = (k == labels[r] ? 1 - smoothing : 0) + smoothing / classes;
                    probabilities[r * classes + k] = (float) Math.exp(log);
                    if (labels[r] < 0) continue;
                    loss -= q == 0 ? 0 : q * log;
                    gradient[r * classes + k] = (float) ((Math.exp(log) - q) / rows);
                }
                if (labels[r] < 0) continue;
                seen++;
                if (best == labels[r]) hits++;
            }
        }
    }

    /** What the kernels left behind: u64 step, f64 loss, u64 hits, u64 seen, u64 broken. */
    private record Counted(long[] words) {
        double loss() {
            return Double.longBitsToDouble(words[1]);
        }
    }

    private static final class Bench {
        final Gpu gpu;
        final Elements of;
        final int classes;
        final DevicePointer control;
        DevicePointer probabilities;
        DevicePointer gradient;

        Bench(Gpu gpu, int classes, long step) {
            this(gpu, Elements.FLOAT32, classes, step);
        }

        Bench(Gpu gpu, Elements of, int classes, long step) {
            this.gpu = gpu;
            this.of = of;
            this.classes = classes;
            control = gpu.control(step, false, new float[0], new float[0]);
        }

        Counted run(float[] logits, int[] labels, double smoothing, boolean training) {
            int rows = labels.length;
            probabilities = gpu.empty(4L * logits.length);
            gradient = training ? gpu.empty((long) of.bytes * logits.length) : null;
            DevicePointer result = gpu.empty(16L * rows);
            int blocks = (rows + 7) / 8;
            gpu.launch(
                    "loss.cu",
                    "loss" + of.suffix,
                    blocks,
                    of.put(gpu, logits),
                    gpu.put(labels),
                    probabilities,
                    gradient,
                    result,
                    rows,
                    classes,
                    smoothing,
                    0);
            gpu.launch("loss.cu", "total", new Gpu.Grid(1, 1, 32, 1), result, control, rows);
            return new Counted(gpu.longs(control, 8));
        }
    }

    private static int[] labels(int rows, int classes) {
        int[] labels = Draws.labels(rows, rows, classes);
        for (int r = 2; r < rows; r += 5) labels[r] = -1;
        return labels;
    }

    @Test
    void probabilitiesGradientsLossAndHitsAreThoseOfTheDefinition() {
        Gpu.run("loss", gpu -> {
            for (Elements of : Elements.values()) check(gpu, of);
        });
    }

    private static void check(Gpu gpu, Elements of) {
        for (int classes : new int[] {1, 2, 10, 32, 33, 100}) {
            for (int rows : new int[] {1, 7, 70}) {
                for (double smoothing : new double[] {0, 0.1}) {
                    float[] logits = Draws.normal(rows, (long) rows * classes);
                    for (int i = 0; i < logits.length; i++) logits[i] *= 4;
                    logits = of.rounded(logits);
                    int[] labels = labels(rows, classes);
                    Expected e = new Expected(logits, labels, classes, smoothing);
                    Bench bench = new Bench(gpu, of, classes, 3);
                    Counted counted = bench.run(logits, labels, smoothing, true);
                    Close.ROUNDING.check("p", e.probabilities, gpu.floats(bench.probabilities, logits.length));
                    float[] gradient = of.read(gpu, bench.gradient, logits.length);
                    Close close = of == Elements.FLOAT32 ? Close.ROUNDING : of.close;
                    close.check("dlogits", of.rounded(e.gradient), gradient);
                    assertEquals(e.loss, counted.loss(), 1e-12 * Math.abs(e.loss) + 1e-13);
                    assertArrayEquals(new long[] {3, counted.words[1], e.hits, e.seen, 0, 0, 0, 0}, counted.words);
                }
            }
        }
    }

    @Test
    void sumsGoOnFromBatchToBatch() {
        Gpu.run("loss", gpu -> {
            Bench bench = new Bench(gpu, 4, 0);
            float[] logits = {0, 1, 0, 0};
            bench.run(logits, new int[] {1}, 0, false);
            Counted counted = bench.run(logits, new int[] {2}, 0, false);
            assertEquals(1, counted.words[2]);
            assertEquals(2, counted.words[3]);
            assertEquals(2 * Math.log(3 + Math.E) - 1, counted.loss(), 1e-13);
        });
    }

    @Test
    void ofEqualLogitsTheFirstIsTheChoiceWhereverTheyLie() {
        Gpu.run("loss", gpu -> {
            int classes = 70;
            int pairs = classes * (classes - 1) / 2;
            float[] logits = new float[pairs * classes];
            int[] labels = new int[pairs];
            int row = 0;
            for (int a = 0; a < classes; a++) {
                for (int b = a + 1; b < classes; b++, row++) {
                    logits[row * classes + a] = 1;
                    logits[row * classes + b] = 1;
                    labels[row] = a;
                }
            }
            assertEquals(pairs, new Bench(gpu, classes, 0).run(logits, labels, 0, false).words[2]);
        });
    }

    @Test
    void theFirstStepWhoseLossIsNotFiniteIsRemembered() {
        Gpu.run("loss", gpu -> {
            for (float bad : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
                Bench bench = new Bench(gpu, 3, 6);
                float[] logits = {1, 2, 3, bad, 0, 0};
                int[] labels = {0, 0};
                assertEquals(7, bench.run(logits, labels, 0, true).words[4]);
                gpu.launch("step.cu", "tick", Gpu.Grid.ONE, bench.control);
                assertEquals(7, bench.run(logits, labels, 0, true).words[4]);
            }
        });
    }

    @Test
    void aRowWithoutALabelMayHoldAnything() {
        Gpu.run("loss", gpu -> {
            Bench bench = new Bench(gpu, 3, 6);
            float[] logits = {1, 2, 3, Float.NaN, 0, 0};
            Counted counted = bench.run(logits, new int[] {2, -1}, 0, true);
            assertEquals(0, counted.words[4]);
            assertEquals(1, counted.words[3]);
            assertTrue(Double.isFinite(counted.loss()));
            float[] gradient = gpu.floats(bench.gradient, 6);
            assertArrayEquals(new float[3], java.util.Arrays.copyOfRange(gradient, 3, 6));
        });
    }
}
