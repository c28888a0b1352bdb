package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Arena;
import io.basin.device.Close;
import io.basin.device.Device;
import io.basin.device.Draws;
import io.basin.device.EpochMetrics;
import io.basin.device.Parameter;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The fused update against its formula, on parameters whose sizes are no multiple of anything. */
class StepContractTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final double[] RATES = {0.5, 0.01, 0.2};
    /** Sizes 13 x 207, 13, 4098 / 13 and so on: odd tails in every slot, several pieces of work for two threads. */
    private static final Graph NET = Nets.mlp(Shape.of(1, 9, 23), 5, 313, 13);

    private static Setup setup(Sgd step, double... alpha) {
        return Setup.of(NET, 2).withStep(step).withRates(RATES, alpha);
    }

    private static Map<Arena, float[]> fill(Run run, Parameter p, long seed) {
        Map<Arena, float[]> values = new HashMap<>();
        for (Arena arena : new Arena[] {Arena.PARAMS, Arena.GRADS, Arena.MOMENTUM, Arena.AVERAGE}) {
            float[] drawn = Draws.normal(
                    seed * 31 + p.slot().offset() + arena.ordinal(), p.shape().elements());
            run.write(p, arena, drawn);
            values.put(arena, drawn);
        }
        return values;
    }

    /** v = mu v + g + wd w; w -= lr v, or for Nesterov w -= lr (g + wd w + mu v); a += alpha (w - a). */
    private static void formula(Map<Arena, double[]> s, Sgd spec, double wd, double lr, double alpha) {
        double[] w = s.get(Arena.PARAMS);
        for (int i = 0; i < w.length; i++) {
            double g = s.get(Arena.GRADS)[i] + wd * w[i];
            double v = spec.momentum() * s.get(Arena.MOMENTUM)[i] + g;
            s.get(Arena.MOMENTUM)[i] = v;
            w[i] -= lr * (spec.nesterov() ? g + spec.momentum() * v : v);
            s.get(Arena.AVERAGE)[i] += alpha * (w[i] - s.get(Arena.AVERAGE)[i]);
        }
    }

    private static void checkFormula(Subject subject, Setup setup) {
        try (Device device = subject.open();
                Run run = setup.on(device)) {
            Map<Parameter, Map<Arena, double[]>> expected = new HashMap<>();
            for (Parameter p : run.storage.parameters()) {
                Map<Arena, double[]> state = new HashMap<>();
                fill(run, p, 3).forEach((arena, values) -> state.put(arena, doubles(values)));
                expected.put(p, state);
            }
            for (int t = 0; t < RATES.length; t++) {
                run.update();
                int step = t;
                expected.forEach((p, s) -> {
                    double wd = p.decayed() ? setup.step().weightDecay() : 0;
                    formula(s, setup.step(), wd, (float) RATES[step], (float) setup.alpha()[step]);
                });
            }
            expected.forEach((p, s) -> s.forEach((arena, values) ->
                    Close.OPERATION.check(arena + " " + p.name(), floats(values), run.read(p, arena))));
        }
    }

    private static double[] doubles(float[] values) {
        double[] out = new double[values.length];
        for (int i = 0; i < out.length; i++) out[i] = values[i];
        return out;
    }

    private static float[] floats(double[] values) {
        float[] out = new float[values.length];
        for (int i = 0; i < out.length; i++) out[i] = (float) values[i];
        return out;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void heavyBallAndNesterovFollowTheirFormulasWithTheRateOfEachStep(Subject subject) {
        for (boolean nesterov : new boolean[] {false, true}) {
            Setup setup = setup(new Sgd(0.9, 0.05, nesterov), 0, 0.5, 0.25);
            checkFormula(subject, setup);
            checkFormula(subject, setup.sparingVectors());
        }
        checkFormula(subject, setup(new Sgd(0, 0, false), 1, 0, 0.001));
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void decaySparesExactlyTheVectorsWhenToldTo(Subject subject) {
        try (Device device = subject.open();
                Run run =
                        setup(new Sgd(0, 0.5, false), 0, 0, 0).sparingVectors().on(device)) {
            for (Parameter p : run.storage.parameters()) {
                assertEquals(p.shape().rank() > 1, p.decayed(), p.name());
                assertEquals(p.decayed(), p.slot().offset() < run.storage.splitBytes(), p.name());
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void anAlphaOfZeroLeavesTheAveragesBitsAlone(Subject subject) {
        try (Device device = subject.open();
                Run run = setup(new Sgd(0.9, 0.05, false), 0, 0, 1).on(device)) {
            for (Parameter p : run.storage.parameters()) {
                float[] odd = fill(run, p, 4).get(Arena.AVERAGE);
                odd[0] = Float.NaN;
                odd[1] = -0f;
                odd[2] = Float.MIN_VALUE;
                odd[3] = Float.POSITIVE_INFINITY;
                run.write(p, Arena.AVERAGE, odd);
            }
            byte[] before = run.bytes(Arena.AVERAGE);
            run.update();
            run.update();
            assertArrayEquals(before, run.bytes(Arena.AVERAGE));
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theFirstCollectionCopiesBitForBit(Subject subject) {
        try (Device device = subject.open();
                Run run = setup(new Sgd(0.9, 0.05, false), 0, 1, 0).on(device)) {
            run.steps(2);
            byte[] collected = run.bytes(Arena.PARAMS);
            assertArrayEquals(collected, run.bytes(Arena.AVERAGE));
            run.oneStep();
            assertFalse(Arrays.equals(collected, run.bytes(Arena.PARAMS)));
            assertArrayEquals(collected, run.bytes(Arena.AVERAGE));
        }
    }

    /** Of models 1, 2, 3 the average is their mean: none counted twice, none divided by what was not collected. */
    @ParameterizedTest
    @MethodSource(ALL)
    void theAverageIsTheMeanOfTheCollectedModels(Subject subject) {
        try (Device device = subject.open();
                Run run = setup(new Sgd(0.9, 0, false), 1, 1.0 / 2, 1.0 / 3).on(device)) {
            Map<String, double[]> sums = new HashMap<>();
            for (int t = 0; t < 3; t++) {
                run.oneStep();
                for (Parameter p : run.storage.parameters()) {
                    float[] w = run.read(p, Arena.PARAMS);
                    double[] sum = sums.computeIfAbsent(p.name(), name -> new double[w.length]);
                    for (int i = 0; i < w.length; i++) sum[i] += w[i] / 3.0;
                }
            }
            for (Parameter p : run.storage.parameters()) {
                Close.OPERATION.check(p.name(), floats(sums.get(p.name())), run.read(p, Arena.AVERAGE));
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void stepsBeyondTheScheduleAreRefusedOrChangeNothing(Subject subject) {
        try (Device device = subject.open();
                Run run = setup(new Sgd(0.9, 0, false), 0, 0, 0).on(device)) {
            run.steps(3);
            if (!device.isSynchronous()) {
                byte[] weights = run.bytes(Arena.PARAMS);
                run.oneStep();
                assertArrayEquals(weights, run.bytes(Arena.PARAMS));
                return;
            }
            String message =
                    assertThrows(IllegalStateException.class, run::oneStep).getMessage();
            assertTrue(message.contains("3"), message);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void afterALossThatIsNoNumberNothingMoves(Subject subject) {
        Setup setup = setup(new Sgd(0.9, 5e-4, false), 1, 1, 1);
        try (Device device = subject.open();
                Run run = setup.on(device)) {
            for (Parameter p : run.storage.parameters()) fill(run, p, 4);
            Map<Arena, byte[]> before = new HashMap<>();
            Arena[] moving = {Arena.PARAMS, Arena.MOMENTUM, Arena.AVERAGE};
            for (Arena arena : moving) before.put(arena, run.bytes(arena));
            run.control.start(new EpochMetrics(1, 0, 0, 0, 0));
            run.update();
            for (Arena arena : moving) assertArrayEquals(before.get(arena), run.bytes(arena), arena.toString());
        }
    }
}
