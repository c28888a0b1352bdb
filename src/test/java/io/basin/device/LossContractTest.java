package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

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
            Shape sample = Shape.of(1, 2, 2);
            Images images = Sets.of(device, Draws.bytes(1, ROWS * 4), LABELS, sample, CLASSES);
            OpTrial trial = new OpTrial(device, PlanContext.Mode.TRAIN, images, Sets.plain(ROWS, 1));
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
