package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Dropout's masks: how many, the same in backward, others each step and seed, none in evaluation. */
class DropoutContractTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final Shape SAMPLE = Shape.of(17, 9, 11);
    private static final int ROWS = 5;

    private record Bench(OpTrial trial, Tensor x, Op op) implements AutoCloseable {
        static Bench of(Device device, PlanContext.Mode mode, OpTrial.From from, double p, long seed) {
            OpTrial trial = OpTrial.of(device, mode, ROWS, SAMPLE);
            Tensor x = trial.input(from, 17);
            Op op = trial.plan("op", s -> device.plan(s, new Layer.Dropout(p), List.of(x), seed, trial.control));
            trial.ready();
            return new Bench(trial, x, op);
        }

        float[] forward(long step, float[] values) {
            trial.control.start(step);
            trial.write(x, values);
            op.forward();
            return trial.read(op.output());
        }

        float[] backward(float[] dy) {
            trial.writeGrad(op.output(), dy);
            op.backward();
            return trial.readGrad(x);
        }

        @Override
        public void close() {
            trial.close();
        }
    }

    private static float[] ones() {
        float[] ones = new float[ROWS * (int) SAMPLE.elements()];
        Arrays.fill(ones, 1);
        return ones;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void masksMatchTheReferenceInForwardAndBackwardWhateverTheLayout(Subject subject) {
        float[] values = Draws.normal(8, ones().length);
        for (OpTrial.From from : OpTrial.From.values()) {
            try (Device reference = new ReferenceDevice();
                    Bench expected = Bench.of(reference, PlanContext.Mode.TRAIN, from, 0.3, 42);
                    Device device = subject.open();
                    Bench actual = Bench.of(device, PlanContext.Mode.TRAIN, from, 0.3, 42)) {
                for (long step : new long[] {0, 1, 1L << 33}) {
                    Close.ROUNDING.check("y", expected.forward(step, values), actual.forward(step, values));
                    Close.ROUNDING.check("dx", expected.backward(values), actual.backward(values));
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theShareOfZerosIsPAndBackwardUsesTheSameMask(Subject subject) {
        double p = 0.3;
        try (Device device = subject.open();
                Bench bench = Bench.of(device, PlanContext.Mode.TRAIN, OpTrial.From.CONV, p, 1)) {
            int zeros = 0;
            int steps = 20;
            for (int step = 0; step < steps; step++) {
                float[] y = bench.forward(step, ones());
                assertArrayEquals(y, bench.backward(ones()));
                for (float v : y) {
                    if (v == 0) zeros++;
                    else assertEquals(1 / (1 - p), v, 1e-6);
                }
            }
            double n = (double) steps * ones().length;
            // Five standard deviations of a binomial share.
            assertEquals(p, zeros / n, 5 * Math.sqrt(p * (1 - p) / n));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void masksDifferBetweenStepsAndSeedsAndRepeatWithThem(Subject subject) {
        try (Device device = subject.open();
                Bench one = Bench.of(device, PlanContext.Mode.TRAIN, OpTrial.From.MAP, 0.5, 1);
                Bench two = Bench.of(device, PlanContext.Mode.TRAIN, OpTrial.From.MAP, 0.5, 2)) {
            float[] first = one.forward(3, ones());
            assertFalse(Arrays.equals(first, one.forward(4, ones())));
            assertFalse(Arrays.equals(first, two.forward(3, ones())));
            assertArrayEquals(first, one.forward(3, ones()));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void evaluationDropsNothing(Subject subject) {
        float[] values = Draws.normal(2, ones().length);
        for (OpTrial.From from : OpTrial.From.values()) {
            try (Device device = subject.open();
                    Bench bench = Bench.of(device, PlanContext.Mode.EVALUATE, from, 0.5, 1)) {
                assertArrayEquals(values, bench.forward(1, values));
            }
        }
    }
}
