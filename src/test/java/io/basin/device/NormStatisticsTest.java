package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.util.Arrays;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The population's statistics, exact whatever the batches, and the running ones as PyTorch keeps them. */
class NormStatisticsTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final int SAMPLES = 23;
    private static final int CHANNELS = 17;
    private static final int PLANE = 35;
    private static final Shape SAMPLE = Shape.of(CHANNELS, 5, 7);
    private static final int EACH = CHANNELS * PLANE;

    /** (SAMPLES, CHANNELS, PLANE); every sample has a mean of its own, so that batches differ. */
    private static float[] population() {
        float[] x = Draws.normal(3, SAMPLES * EACH);
        for (int n = 0; n < SAMPLES; n++)
            for (int i = 0; i < EACH; i++) x[n * EACH + i] += (float) Math.sin(n) * 3 + i / PLANE;
        return x;
    }

    private static float[][] exact(float[] x, int from, int to) {
        return exact(x, PLANE, from, to);
    }

    /** Mean (row 0) and biased variance (row 1) of each channel over samples [from, to). */
    private static float[][] exact(float[] x, int plane, int from, int to) {
        float[][] out = new float[2][CHANNELS];
        double count = (to - from) * (double) plane;
        for (int c = 0; c < CHANNELS; c++) {
            double sum = 0;
            double squares = 0;
            for (int n = from; n < to; n++) for (int i = 0; i < plane; i++) sum += x[(n * CHANNELS + c) * plane + i];
            for (int n = from; n < to; n++)
                for (int i = 0; i < plane; i++) squares += Math.pow(x[(n * CHANNELS + c) * plane + i] - sum / count, 2);
            out[0][c] = (float) (sum / count);
            out[1][c] = (float) (squares / count);
        }
        return out;
    }

    /** A norm on an input that the test writes. */
    private record Bench(OpTrial trial, Tensor x, Op.BatchNorm norm, int rows) implements AutoCloseable {
        static Bench of(Device device, PlanContext.Mode mode, OpTrial.From from, int rows) {
            OpTrial trial = OpTrial.of(device, mode, rows, SAMPLE);
            Tensor x = trial.input(from, CHANNELS);
            Op.BatchNorm norm = (Op.BatchNorm) trial.layer("op", new Layer.BatchNorm(1e-5, 0.1, false), x);
            trial.ready();
            return new Bench(trial, x, norm, rows);
        }

        /** Rows past the population's end hold what must not count. */
        void write(float[] population, int first) {
            float[] batch = new float[rows * EACH];
            Arrays.fill(batch, 1e6f);
            int n = Math.min(rows, SAMPLES - first);
            System.arraycopy(population, first * EACH, batch, 0, n * EACH);
            trial.write(x, batch);
        }

        void measureAll(float[] population) {
            norm.reset();
            for (int first = 0; first < SAMPLES; first += rows) {
                write(population, first);
                norm.measure(Math.min(rows, SAMPLES - first));
            }
            norm.commit();
        }

        void requireState(float[][] expected, Close close) {
            close.check("mean", expected[0], trial.readState("op.running_mean"));
            close.check("variance", expected[1], trial.readState("op.running_var"));
        }

        @Override
        public void close() {
            trial.close();
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void populationStatisticsAreExactForEveryBatchSizeAndRaggedRows(Subject subject) {
        float[] x = population();
        float[][] expected = exact(x, 0, SAMPLES);
        for (OpTrial.From from : OpTrial.From.values()) {
            for (int rows : new int[] {1, 4, 5, 22, SAMPLES, 30}) {
                try (Device device = subject.open();
                        Bench bench = Bench.of(device, PlanContext.Mode.EVALUATE, from, rows)) {
                    bench.measureAll(x);
                    bench.requireState(expected, Close.GRADIENT);
                    bench.measureAll(x);
                    bench.requireState(expected, Close.GRADIENT);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void populationVarianceSurvivesAMeanManyDeviationsAway(Subject subject) {
        float[] x = population();
        for (int i = 0; i < x.length; i++) x[i] += 3000;
        try (Device device = subject.open();
                Bench bench = Bench.of(device, PlanContext.Mode.EVALUATE, OpTrial.From.CONV, 5)) {
            bench.measureAll(x);
            Close.NET.check("variance", exact(x, 0, SAMPLES)[1], bench.trial.readState("op.running_var"));
        }
    }

    /** A float32 near 1,000 has steps of 6e-5: sums of squares would keep nothing of a deviation of 0.01. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aVarianceAHundredThousandTimesBelowTheMeanIsRightInTrainingAndInEvaluation(Subject subject) {
        int rows = 5;
        int plane = 40 * 40;
        float[] x = Draws.normal(7, (long) rows * CHANNELS * plane);
        for (int i = 0; i < x.length; i++) x[i] = 1000 + 0.01f * x[i];
        float[] biased = exact(x, plane, 0, rows)[1];
        double n = (double) rows * plane;
        for (PlanContext.Mode mode : PlanContext.Mode.values()) {
            try (Device device = subject.open();
                    OpTrial trial = OpTrial.of(device, mode, rows, Shape.of(CHANNELS, 40, 40))) {
                Tensor in = trial.input(OpTrial.From.CONV, CHANNELS);
                Layer.BatchNorm all = new Layer.BatchNorm(1e-5, 1, false);
                Op.BatchNorm norm = (Op.BatchNorm) trial.layer("op", all, in);
                trial.ready();
                trial.write(in, x);
                if (mode == PlanContext.Mode.TRAIN) norm.forward();
                else {
                    norm.reset();
                    norm.measure(rows);
                    norm.commit();
                }
                double share = mode == PlanContext.Mode.TRAIN ? n / (n - 1) : 1;
                float[] var = trial.readState("op.running_var");
                for (int c = 0; c < CHANNELS; c++) {
                    assertEquals(share * biased[c], var[c], 1e-3 * biased[c], mode + ", channel " + c);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anAdoptedBatchIsNormalisedByItself(Subject subject) {
        float[] x = population();
        try (Device device = subject.open();
                Bench bench = Bench.of(device, PlanContext.Mode.EVALUATE, OpTrial.From.CONV, 4)) {
            bench.write(x, 8);
            bench.norm.reset();
            bench.norm.measure(4);
            bench.norm.adopt();
            bench.requireState(exact(x, 8, 12), Close.GRADIENT);
            bench.norm.forward();
            float[] y = bench.trial.read(bench.norm.output());
            float[] padded = Arrays.copyOf(y, SAMPLES * EACH);
            float[][] normalised = exact(padded, 0, 4);
            assertArrayEquals(new float[CHANNELS], normalised[0], 1e-5f);
            float[] ones = new float[CHANNELS];
            Arrays.fill(ones, 1);
            assertArrayEquals(ones, normalised[1], 1e-4f);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void committingWithoutMeasuringIsAnError(Subject subject) {
        try (Device device = subject.open();
                Bench bench = Bench.of(device, PlanContext.Mode.EVALUATE, OpTrial.From.MAP, 3)) {
            bench.norm.reset();
            assertThrows(IllegalStateException.class, bench.norm::commit);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void runningStatisticsRememberTheUnbiasedVariance(Subject subject) {
        float[] x = population();
        float[][] biased = exact(x, 0, 3);
        try (Device device = subject.open();
                Bench bench = Bench.of(device, PlanContext.Mode.TRAIN, OpTrial.From.CONV, 3)) {
            bench.write(x, 0);
            bench.norm.forward();
            bench.norm.forward();
            double n = 3 * PLANE;
            float[][] expected = new float[2][CHANNELS];
            for (int c = 0; c < CHANNELS; c++) {
                expected[0][c] = (float) ((1 - 0.81) * biased[0][c]);
                expected[1][c] = (float) (0.81 + (1 - 0.81) * biased[1][c] * n / (n - 1));
            }
            bench.requireState(expected, Close.GRADIENT);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void evaluationLeavesTheStoredStatisticsAlone(Subject subject) {
        try (Device device = subject.open();
                Bench bench = Bench.of(device, PlanContext.Mode.EVALUATE, OpTrial.From.CONV, 4)) {
            bench.write(population(), 0);
            float[] mean = bench.trial.readState("op.running_mean");
            float[] var = bench.trial.readState("op.running_var");
            bench.norm.forward();
            assertArrayEquals(mean, bench.trial.readState("op.running_mean"));
            assertArrayEquals(var, bench.trial.readState("op.running_var"));
            assertEquals(1, var[0]);
        }
    }

    /** Large enough that devices measure it piece by piece. */
    @ParameterizedTest
    @MethodSource(ALL)
    void aLargeBatchIsMeasuredAndAdoptedAsOne(Subject subject) {
        int rows = 21;
        int plane = 64 * 64;
        Shape sample = Shape.of(CHANNELS, 64, 64);
        float[] x = Draws.normal(5, (long) rows * CHANNELS * plane);
        for (int i = 0; i < x.length; i++) x[i] += (float) (i / (CHANNELS * plane));
        try (Device device = subject.open();
                OpTrial trial = OpTrial.of(device, PlanContext.Mode.EVALUATE, rows, sample)) {
            Tensor in = trial.input(OpTrial.From.CONV, CHANNELS);
            Op.BatchNorm norm = (Op.BatchNorm) trial.layer("op", new Layer.BatchNorm(1e-5, 0.1, false), in);
            trial.ready();
            trial.write(in, x);
            norm.reset();
            norm.measure(rows - 1);
            float[][] expected = exact(x, plane, 0, rows - 1);
            norm.adopt();
            Close.GRADIENT.check("adopted mean", expected[0], trial.readState("op.running_mean"));
            Close.GRADIENT.check("adopted variance", expected[1], trial.readState("op.running_var"));
            norm.commit();
            Close.GRADIENT.check("mean", expected[0], trial.readState("op.running_mean"));
            Close.GRADIENT.check("variance", expected[1], trial.readState("op.running_var"));
        }
    }
}
