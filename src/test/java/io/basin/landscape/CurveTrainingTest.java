package io.basin.landscape;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.data.Dataset;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Subject;
import io.basin.methods.Schedule;
import io.basin.train.Settings;
import io.basin.train.Trainer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Curves between nets of two weights, against an implementation in doubles that shares nothing but the draw of t. */
class CurveTrainingTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final float[] A = {1.5f, -0.75f};
    private static final float[] B = {-2.25f, 0.5f};
    private static final int STEPS = 40;

    @TempDir
    Path folder;

    private Path first;
    private Path last;

    @BeforeEach
    void saveEnds() {
        first = folder.resolve("a.safetensors");
        last = folder.resolve("b.safetensors");
        TwoParameters.save(first, A[0], A[1]);
        TwoParameters.save(last, B[0], B[1]);
    }

    private static CurveTraining.CurveConfig config(Curve curve, int bends, double mu, double wd, boolean nesterov) {
        Settings settings = TwoParameters.settings("two", TwoParameters.COUNT, mu, wd, nesterov);
        Schedule schedule = Schedule.sgdPaper(STEPS, 0.1);
        return new CurveTraining.CurveConfig(curve, bends, schedule, settings, 11, TwoParameters.AUGMENTATION);
    }

    private interface Trial {
        void accept(Device device, CurveTraining training);
    }

    private void on(Subject subject, Dataset set, CurveTraining.CurveConfig config, Trial trial) {
        try (Device device = subject.open()) {
            try (Images images = set.upload(device);
                    CurveTraining training =
                            new CurveTraining(device, TwoParameters.graph(), images, config, first, last)) {
                trial.accept(device, training);
            }
            assertEquals(0, device.liveBytes());
        }
    }

    /** The two weights of a control point. */
    private static float[] weights(Device device, CurveTraining training, int point) {
        float[] values = new float[2];
        var p = training.model().store().parameters().iterator().next();
        device.unpack(training.points().get(point), p.slot().offset(), p.layout(), java.nio.FloatBuffer.wrap(values));
        return values;
    }

    /** All control points after STEPS updates: one t a batch, L(w(t)) + wd/2 |w(t)|^2, the ends left out of the update. */
    private static double[][] oracle(CurveTraining.CurveConfig config) {
        int n = config.bends() + 2;
        double[][] p = new double[n][2];
        double[][] v = new double[n][2];
        for (int j = 0; j < n; j++) for (int i = 0; i < 2; i++) p[j][i] = A[i] + (B[i] - A[i]) * j / (n - 1.0);
        double mu = config.step().momentum();
        double[] ts = Curve.draws(STEPS, config.seed());
        for (int s = 0; s < STEPS; s++) {
            double[] c = basis(config.curve(), ts[s], n);
            double[] w = new double[2];
            for (int j = 0; j < n; j++) for (int i = 0; i < 2; i++) w[i] += c[j] * p[j][i];
            double[] g = TwoParameters.gradient(w[0], w[1]);
            double lr = 0.1 * factor(s / (double) STEPS);
            for (int j = config.freeEnds() ? 0 : 1; j < (config.freeEnds() ? n : n - 1); j++) {
                for (int i = 0; i < 2; i++) {
                    double d = c[j] * (g[i] + config.step().weightDecay() * w[i]);
                    v[j][i] = mu * v[j][i] + d;
                    p[j][i] -= lr * (config.step().nesterov() ? d + mu * v[j][i] : v[j][i]);
                }
            }
        }
        return p;
    }

    /** The papers' rate: whole to half of the budget, then straight down to a hundredth at 0.9. */
    private static double factor(double u) {
        return u <= 0.5 ? 1 : u <= 0.9 ? 1 - 0.99 * (u - 0.5) / 0.4 : 0.01;
    }

    /** Shares by recursion over the number of points, or by the hat around each point. */
    private static double[] basis(Curve curve, double t, int n) {
        double[] c = new double[n];
        if (curve == Curve.POLYCHAIN) {
            int piece = Math.min(n - 2, (int) (t * (n - 1)));
            c[piece + 1] = t * (n - 1) - piece;
            c[piece] = 1 - c[piece + 1];
            return c;
        }
        c[0] = 1;
        for (int degree = 1; degree < n; degree++) {
            for (int j = degree; j >= 0; j--) c[j] = (1 - t) * c[j] + (j > 0 ? t * c[j - 1] : 0);
        }
        return c;
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void trainingFollowsTheFormulas(Subject subject) {
        for (Curve curve : Curve.values()) {
            for (int bends = 1; bends <= 3; bends++) {
                for (boolean nesterov : new boolean[] {false, true}) {
                    follows(subject, config(curve, bends, 0.9, 0.05, nesterov));
                }
            }
        }
    }

    private void follows(Subject subject, CurveTraining.CurveConfig config) {
        double[][] expected = oracle(config);
        on(subject, TwoParameters.set(), config, (device, training) -> {
            while (training.step() < training.steps()) training.advance();
            for (int j = 0; j < expected.length; j++) {
                float[] w = weights(device, training, j);
                String what = config.curve() + ", point " + j + " of " + expected.length + ", " + config.step();
                for (int i = 0; i < 2; i++) assertEquals(expected[j][i], w[i], 2e-5, what);
            }
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void freeEndsFollowTheFormulasLikeBends(Subject subject) {
        for (Curve curve : Curve.values()) {
            CurveTraining.CurveConfig fixed = config(curve, 2, 0.9, 0.05, false);
            CurveTraining.CurveConfig free = new CurveTraining.CurveConfig(
                    curve, 2, fixed.schedule(), fixed.settings(), fixed.seed(), fixed.augmentation(), true);
            assertTrue(Math.abs(oracle(free)[0][0] - A[0]) > 0.05, "the trial must move the first end");
            follows(subject, free);
        }
    }

    /** A published error: the ends drift when they are given to the optimiser, whose decay and momentum move them. */
    @ParameterizedTest
    @MethodSource(ALL)
    void theEndsKeepTheirBitsThroughTraining(Subject subject) {
        on(subject, TwoParameters.set(), config(Curve.BEZIER, 2, 0.9, 0.5, false), (device, training) -> {
            while (training.step() < training.steps()) training.advance();
            assertArrayEquals(A, weights(device, training, 0));
            assertArrayEquals(B, weights(device, training, 3));
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void bendsBeginOnTheStraightLine(Subject subject) {
        on(subject, TwoParameters.set(), config(Curve.POLYCHAIN, 3, 0.9, 0, false), (device, training) -> {
            for (int j = 0; j <= 4; j++) {
                float[] w = weights(device, training, j);
                for (int i = 0; i < 2; i++) assertEquals(A[i] + (B[i] - A[i]) * j / 4.0, w[i], 1e-6);
            }
        });
    }

    /**
     * A published error: summing norms instead of squared norms pulls with wd w / |w|, the same however long w is. Without a
     * gradient of the loss the first step moves a bend by lr c wd w(t) and nothing else.
     */
    @ParameterizedTest
    @MethodSource(ALL)
    void theRegulariserPullsInProportionToTheWeights(Subject subject) {
        double wd = 0.5;
        double t = Curve.draws(STEPS, 11)[0];
        double share = 2 * t * (1 - t);
        for (float scale : new float[] {1, 8}) {
            TwoParameters.save(first, scale * A[0], scale * A[1]);
            TwoParameters.save(last, scale * B[0], scale * B[1]);
            on(subject, TwoParameters.silent(), config(Curve.BEZIER, 1, 0, wd, false), (device, training) -> {
                training.advance();
                float[] w = weights(device, training, 1);
                for (int i = 0; i < 2; i++) {
                    double middle = scale * (A[i] + B[i]) / 2.0;
                    double here = scale * (A[i] + t * (B[i] - A[i]));
                    assertEquals(middle - 0.1 * share * wd * here, w[i], 1e-6 * scale);
                }
            });
        }
    }

    /** A published error: momentum that is reset, or shared between control points. */
    @ParameterizedTest
    @MethodSource(ALL)
    void everyBendHasMomentumOfItsOwnThatLasts(Subject subject) {
        CurveTraining.CurveConfig with = config(Curve.POLYCHAIN, 2, 0.9, 0.05, false);
        CurveTraining.CurveConfig without = config(Curve.POLYCHAIN, 2, 0, 0.05, false);
        double apart = 0;
        for (int j = 1; j <= 2; j++) apart += Math.abs(oracle(with)[j][0] - oracle(without)[j][0]);
        assertTrue(apart > 0.05, "the trial must tell them apart, " + apart);
        on(subject, TwoParameters.set(), with, (device, training) -> {
            while (training.step() < training.steps()) training.advance();
            for (int j = 1; j <= 2; j++) assertEquals(oracle(with)[j][0], weights(device, training, j)[0], 2e-5);
        });
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void trainingGoesOnFromItsFileBitForBit(Subject subject) {
        CurveTraining.CurveConfig config = config(Curve.BEZIER, 2, 0.9, 0.05, false);
        float[][] whole = new float[2][];
        on(subject, TwoParameters.set(), config, (device, training) -> {
            while (training.step() < training.steps()) training.advance();
            for (int j = 1; j <= 2; j++) whole[j - 1] = weights(device, training, j);
        });
        Trainer.Listener cut = new Trainer.Listener() {
            @Override
            public void onStep(int step) {
                if (step == 20) throw new IllegalStateException("cut");
            }
        };
        on(subject, TwoParameters.set(), config, (device, training) -> {
            assertThrows(IllegalStateException.class, trainer(training, "x=1", cut)::run);
        });
        on(subject, TwoParameters.set(), config, (device, training) -> {
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, trainer(training, "x=2", cut)::run);
            assertTrue(e.getMessage().contains("there 'x=1', now 'x=2'"), e.getMessage());
            List<Integer> steps = new ArrayList<>();
            Trainer.Listener seen = new Trainer.Listener() {
                @Override
                public void onStep(int step) {
                    steps.add(step);
                }
            };
            trainer(training, "x=1", seen).run();
            assertEquals(18, steps.get(0));
            assertEquals(STEPS, training.step());
            for (int j = 1; j <= 2; j++) assertArrayEquals(whole[j - 1], weights(device, training, j));
        });
    }

    /** With a checkpoint after 17 steps, within the only epoch. */
    private Trainer trainer(CurveTraining training, String identity, Trainer.Listener listener) {
        return new Trainer(training, STEPS, folder, 17, Map.of(Trainer.RUN, identity), false, listener);
    }

    @Test
    void tooFewAndTooManyBendsAreRefusedByTheirFlag() {
        for (int bends : new int[] {0, -1, 31}) {
            IllegalArgumentException e =
                    assertThrows(IllegalArgumentException.class, () -> config(Curve.BEZIER, bends, 0.9, 0, false));
            assertTrue(e.getMessage().startsWith("`bends`"), e.getMessage());
        }
    }

    /** It could not be resumed: its models are none of the curve's. */
    @Test
    void aScheduleThatCollectsModelsIsRefused() {
        Settings settings = TwoParameters.settings("two", TwoParameters.COUNT, 0.9, 0, false);
        Schedule collecting = Schedule.snapshotCosine(STEPS, 0.1, 2);
        IllegalArgumentException e = assertThrows(
                IllegalArgumentException.class,
                () -> new CurveTraining.CurveConfig(
                        Curve.BEZIER, 1, collecting, settings, 11, TwoParameters.AUGMENTATION));
        assertTrue(e.getMessage().contains("`schedule` has 2 to collect"), e.getMessage());
    }
}
