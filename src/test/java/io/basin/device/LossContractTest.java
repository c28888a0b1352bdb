package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Softmax, cross-entropy, hits, sums and the flag for what is not finite. */
class LossContractTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final int ROWS = 7;
    private static final int CLASSES = 11;
    private static final int[] LABELS = {3, 0, -1, 10, 10, 5, -1};

    private record Bench(OpTrial trial, Tensor logits, Op loss) implements AutoCloseable {
        static Bench of(Device device, double smoothing) {
            return of(device, smoothing, LABELS, Sets.plain(ROWS, 1));
        }

        /** Of all samples in the order of the first epoch, each mixed with the next. */
        static Bench mixed(Device device, double smoothing) {
            Augmentation how = Sets.plain(ROWS, 1).augmentation().with(new Distortion(0, 0, 1));
            return of(device, smoothing, new int[] {3, 0, 7, 10, 10, 5, 1}, new BatchReader(ROWS, how, 4, true));
        }

        private static Bench of(Device device, double smoothing, int[] labels, BatchReader reader) {
            Shape sample = Shape.of(1, 2, 2);
            Images images = Sets.of(device, Draws.bytes(1, ROWS * 4), labels, sample, CLASSES);
            OpTrial trial = new OpTrial(device, PlanContext.Mode.TRAIN, images, reader);
            Tensor logits = trial.rows(CLASSES);
            Op loss = trial.plan(
                    "loss",
                    s -> device.loss(s, Loss.crossEntropy(smoothing), logits, trial.batch.labels(), trial.control));
            trial.batch.labels().alive(31);
            trial.ready();
            trial.batch.forward();
            return new Bench(trial, logits, loss);
        }

        EpochMetrics run(float[] values, int times) {
            trial.write(logits, values);
            for (int i = 0; i < times; i++) loss.forward();
            loss.backward();
            return trial.control.read();
        }

        @Override
        public void close() {
            trial.close();
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void lossAndItsGradientMatchTheReference(Subject subject) {
        for (double smoothing : new double[] {0, 0.1}) {
            for (float scale : new float[] {1, 40}) {
                float[] values = Draws.normal(4, ROWS * CLASSES);
                for (int i = 0; i < values.length; i++) values[i] *= scale;
                try (Device reference = new ReferenceDevice();
                        Bench expected = Bench.of(reference, smoothing);
                        Device device = subject.open();
                        Bench actual = Bench.of(device, smoothing)) {
                    EpochMetrics e = expected.run(values, 2);
                    EpochMetrics a = actual.run(values, 2);
                    Close.OPERATION.check("loss", e.loss(), a.loss());
                    assertEquals(e.hits(), a.hits());
                    assertEquals(2 * 5, a.seen());
                    Close.OPERATION.check(
                            "p", expected.trial.read(expected.loss.output()), actual.trial.read(actual.loss.output()));
                    Close.OPERATION.check(
                            "dx", expected.trial.readGrad(expected.logits), actual.trial.readGrad(actual.logits));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theLossOfMixedRowsIsThatOfBothLabelsBySharesAndSoIsItsGradient(Subject subject) {
        for (double smoothing : new double[] {0, 0.1}) {
            float[] values = Draws.normal(4, ROWS * CLASSES);
            try (Device reference = new ReferenceDevice();
                    Bench expected = Bench.mixed(reference, smoothing);
                    Device device = subject.open();
                    Bench actual = Bench.mixed(device, smoothing)) {
                EpochMetrics e = expected.run(values, 1);
                EpochMetrics a = actual.run(values, 1);
                Close.OPERATION.check("loss", e.loss(), a.loss());
                Close.OPERATION.check("loss", naive(actual, values, smoothing), a.loss());
                assertEquals(e.hits(), a.hits());
                assertEquals(ROWS, a.seen());
                float[] gradient = actual.trial.readGrad(actual.logits);
                Close.OPERATION.check("dx", expected.trial.readGrad(expected.logits), gradient);
                for (int i = 0; i < values.length; i += 5) {
                    float[] up = values.clone();
                    float[] down = values.clone();
                    up[i] += 0x1p-7f;
                    down[i] -= 0x1p-7f;
                    double slope = (naive(actual, up, smoothing) - naive(actual, down, smoothing))
                            / ((double) up[i] - down[i])
                            / ROWS;
                    assertEquals(slope, gradient[i], 2e-6, "logit " + i);
                }
            }
        }
    }

    /** m CE(y) + (1 - m) CE(y') with the labels and shares that the batch drew. */
    private static double naive(Bench bench, float[] values, double smoothing) {
        int[] labels = bench.trial.readLabels();
        double loss = 0;
        for (int n = 0; n < ROWS; n++) {
            float share = Float.intBitsToFloat(labels[2 * ROWS + n]);
            loss += share * crossEntropy(values, n, labels[n], smoothing);
            loss += (1 - share) * crossEntropy(values, n, labels[ROWS + n], smoothing);
        }
        return loss;
    }

    private static double crossEntropy(float[] values, int n, int label, double smoothing) {
        double sum = 0;
        double mean = 0;
        for (int k = 0; k < CLASSES; k++) {
            sum += Math.exp(values[n * CLASSES + k]);
            mean += values[n * CLASSES + k] / CLASSES;
        }
        return Math.log(sum) - (1 - smoothing) * values[n * CLASSES + label] - smoothing * mean;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void mixedRowsCountTheLabelOfTheLargerShare(Subject subject) {
        try (Device device = subject.open();
                Bench bench = Bench.mixed(device, 0)) {
            int[] labels = bench.trial.readLabels();
            float[] own = new float[ROWS * CLASSES];
            float[] larger = new float[ROWS * CLASSES];
            int hits = 0;
            for (int n = 0; n < ROWS; n++) {
                boolean first = Float.intBitsToFloat(labels[2 * ROWS + n]) >= 0.5;
                own[n * CLASSES + labels[n]] = 9;
                larger[n * CLASSES + labels[first ? n : ROWS + n]] = 9;
                if (first || labels[n] == labels[ROWS + n]) hits++;
            }
            assertEquals(hits, bench.run(own, 1).hits());
            assertTrue(hits < ROWS, "no row's own share is the smaller one");
            bench.trial.control.start(0);
            assertEquals(ROWS, bench.run(larger, 1).hits());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void hitsAreTheLikeliestClassesAndCertaintyCostsNothing(Subject subject) {
        float[] values = new float[ROWS * CLASSES];
        for (int n = 0; n < ROWS; n++) values[n * CLASSES + Math.floorMod(LABELS[n], CLASSES)] = 1000;
        values[3 * CLASSES + 2] = 2000;
        try (Device device = subject.open();
                Bench bench = Bench.of(device, 0)) {
            EpochMetrics totals = bench.run(values, 1);
            assertEquals(4, totals.hits());
            assertEquals(5, totals.seen());
            assertEquals(1000, totals.loss(), 1e-3);
            assertEquals(-1, totals.broken());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theFirstStepWhoseLossIsNotFiniteIsRemembered(Subject subject) {
        float[] good = Draws.normal(4, ROWS * CLASSES);
        float[] bad = good.clone();
        bad[CLASSES + 1] = Float.NaN;
        try (Device device = subject.open();
                Bench bench = Bench.of(device, 0.1)) {
            bench.trial.control.start(6);
            assertEquals(-1, bench.run(good, 1).broken());
            Runnable tick = device.arenas().advance(bench.trial.control);
            tick.run();
            assertEquals(7, bench.run(bad, 1).broken());
            tick.run();
            assertEquals(7, bench.run(bad, 1).broken());
            assertEquals(8, bench.trial.control.read().step());
            bench.trial.control.start(0);
            assertEquals(-1, bench.trial.control.read().broken());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void uniformLogitsCostTheLogarithmOfTheClasses(Subject subject) {
        for (double smoothing : new double[] {0, 0.3}) {
            try (Device device = subject.open();
                    Bench bench = Bench.of(device, smoothing)) {
                assertEquals(
                        Math.log(CLASSES),
                        bench.run(new float[ROWS * CLASSES], 3).meanLoss(),
                        1e-9);
            }
        }
    }
}
