package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.random.Permutation;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Float32 samples and float32 targets: how they are drawn, and the losses over them. */
class FloatDataContractTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final Shape SAMPLE = Shape.of(3, 2, 2);
    private static final int COUNT = 11;
    private static final int BATCH = 4;
    private static final int OUTPUTS = 5;

    private static float[] targets(Loss loss) {
        float[] targets = Draws.normal(6, COUNT * OUTPUTS);
        for (int i = 0; i < targets.length; i++) {
            if (loss instanceof Loss.BinaryCrossEntropy) targets[i] = i % 4 == 1 ? 0.3f : targets[i] > 0 ? 1 : 0;
        }
        return targets;
    }

    private static OpTrial trial(Device device, Loss loss, BatchReader reader) {
        float[] values = Draws.normal(5, COUNT * SAMPLE.elements());
        return new OpTrial(
                device, PlanContext.Mode.TRAIN, Sets.ofFloats(device, values, targets(loss), SAMPLE, OUTPUTS), reader);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void floatSamplesAreNormalisedAndKeepTheirTargets(Subject subject) {
        BatchReader reader = Sets.shuffled(BATCH, 3, 77);
        float[] mean = reader.augmentation().mean();
        float[] std = reader.augmentation().std();
        float[] stored = Draws.normal(5, COUNT * SAMPLE.elements());
        float[] targets = targets(Loss.squaredError());
        try (Device device = subject.open();
                OpTrial trial = trial(device, Loss.squaredError(), reader).ready()) {
            for (int step : new int[] {0, 1, 2, 9}) {
                trial.control.start(step);
                trial.batch.forward();
                float[] drawn = trial.read(trial.batch.output());
                float[] labels = trial.readTargets(OUTPUTS);
                for (int row = 0; row < BATCH; row++) {
                    int index = Permutation.at(step % 2 * BATCH + row, COUNT, 77, step / 2);
                    for (int c = 0; c < 3; c++) {
                        for (int at = 0; at < 4; at++) {
                            float expected = (stored[(index * 4 + at) * 3 + c] - mean[c]) / std[c];
                            assertEquals(expected, drawn[(row * 3 + c) * 4 + at]);
                        }
                    }
                    for (int k = 0; k < OUTPUTS; k++) {
                        assertEquals(targets[index * OUTPUTS + k], labels[row * OUTPUTS + k]);
                    }
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void rowsPastTheEndHaveNoTargetAndDoNotCount(Subject subject) {
        for (Loss loss : new Loss[] {Loss.squaredError(), Loss.binaryCrossEntropy()}) {
            try (Device device = subject.open();
                    OpTrial trial = trial(device, loss, Sets.plain(BATCH, 3))) {
                Tensor logits = trial.rows(OUTPUTS);
                Op op = plan(device, trial, loss, logits);
                trial.control.start(2);
                trial.batch.forward();
                trial.write(logits, Draws.normal(8, BATCH * OUTPUTS));
                op.forward();
                op.backward();
                assertTrue(Float.isNaN(trial.readTargets(OUTPUTS)[3 * OUTPUTS]));
                assertEquals(3, trial.control.read().seen());
                float[] gradient = trial.readGrad(logits);
                for (int k = 0; k < OUTPUTS; k++) assertEquals(0, gradient[3 * OUTPUTS + k]);
            }
        }
    }

    private static Op plan(Device device, OpTrial trial, Loss loss, Tensor logits) {
        Op op = trial.plan("loss", s -> device.loss(s, loss, logits, trial.batch.labels(), trial.control));
        trial.batch.labels().alive(31);
        trial.ready();
        return op;
    }

    private record Outcome(EpochMetrics sums, float[] predictions, float[] gradient) {
        static Outcome of(Device device, Loss loss, float scale) {
            float[] values = Draws.normal(8, BATCH * OUTPUTS);
            for (int i = 0; i < values.length; i++) values[i] *= scale;
            try (device;
                    OpTrial trial = trial(device, loss, Sets.plain(BATCH, 3))) {
                Tensor logits = trial.rows(OUTPUTS);
                Op op = plan(device, trial, loss, logits);
                trial.control.start(1);
                trial.batch.forward();
                trial.write(logits, values);
                op.forward();
                op.backward();
                return new Outcome(trial.control.read(), trial.read(op.output()), trial.readGrad(logits));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void lossesOverTargetsMatchTheReference(Subject subject) {
        for (Loss loss : new Loss[] {Loss.squaredError(), Loss.binaryCrossEntropy()}) {
            for (float scale : new float[] {1, 8}) {
                Outcome e = Outcome.of(new ReferenceDevice(), loss, scale);
                Outcome a = Outcome.of(subject.open(), loss, scale);
                Close.OPERATION.check("loss", e.sums().loss(), a.sums().loss());
                assertEquals(e.sums().hits(), a.sums().hits());
                assertEquals(BATCH, a.sums().seen());
                Close.OPERATION.check("predictions", e.predictions(), a.predictions());
                Close.OPERATION.check("gradient", e.gradient(), a.gradient());
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aLargeLogitOverflowsNothing(Subject subject) {
        Outcome o = Outcome.of(subject.open(), Loss.binaryCrossEntropy(), 1e6f);
        assertTrue(Double.isFinite(o.sums().loss()), "loss " + o.sums().loss());
        assertEquals(-1, o.sums().broken());
        for (float p : o.predictions()) assertTrue(p >= 0 && p <= 1, "prediction " + p);
        assertArrayEquals(
                Outcome.of(subject.open(), Loss.binaryCrossEntropy(), 1e6f).gradient(), o.gradient());
    }
}
