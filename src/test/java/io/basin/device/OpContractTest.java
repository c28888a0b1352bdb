package io.basin.device;

import static io.basin.device.OpTrial.From.CONV;
import static io.basin.device.OpTrial.From.MAP;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.nn.Initialisers;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Every device computes what the reference computes, operation by operation, forward and backward. */
class OpContractTest {
    private static final String ALL = "io.basin.device.Subject#all";

    private static Layer.Conv conv(int out, int kernel, int stride, int groups, boolean bias, boolean relu) {
        return new Layer.Conv(out, kernel, stride, kernel / 2, groups, bias, relu, Initialisers.PYTORCH);
    }

    private static Pairing convolution(OpTrial.From from, int channels, Layer.Conv spec) {
        int pixels = from == MAP ? channels : 3;
        return new Pairing(3, Shape.of(pixels, 7, 9), (d, scope, xs) -> d.plan(scope, spec, xs, 0, null))
                .with(from, channels);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void convolutionsOfOddSizesMatchTheReference(Subject subject) {
        long seed = 1;
        for (int kernel : new int[] {1, 3, 5}) {
            for (int stride : new int[] {1, 2}) {
                for (int channels : new int[] {5, 17}) {
                    boolean even = seed % 2 == 0;
                    convolution(even ? MAP : CONV, channels, conv(17, kernel, stride, 1, even, seed % 3 == 0))
                            .seed(seed++)
                            .check(subject, Close.OPERATION, Close.GRADIENT);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void groupedAndDepthwiseConvolutionsMatchTheReference(Subject subject) {
        for (long seed = 1; seed <= 2; seed++) {
            convolution(CONV, 6, conv(9, 3, 1, 3, true, false))
                    .seed(seed)
                    .check(subject, Close.OPERATION, Close.GRADIENT);
            convolution(CONV, 32, conv(32, 3, 2, 2, false, true))
                    .seed(seed)
                    .check(subject, Close.OPERATION, Close.GRADIENT);
            convolution(CONV, 17, conv(17, 3, 1, 17, true, false))
                    .seed(seed)
                    .check(subject, Close.OPERATION, Close.GRADIENT);
        }
    }

    /** Kernels, strides, padding and dilation of another size along each axis; ResNet's stem. */
    @ParameterizedTest
    @MethodSource(ALL)
    void rectangularAndDilatedConvolutionsMatchTheReference(Subject subject) {
        Layer.Window[][] windows = {
            {new Layer.Window(1, 1, 0), new Layer.Window(5, 1, 2)},
            {new Layer.Window(3, 2, 0), new Layer.Window(2, 1, 1)},
            {new Layer.Window(3, 1, 2, 2), new Layer.Window(3, 1, 2, 2)},
            {new Layer.Window(2, 1, 3, 3), new Layer.Window(3, 2, 1, 2)},
            {new Layer.Window(7, 2, 3), new Layer.Window(7, 2, 3)}
        };
        long seed = 1;
        for (Layer.Window[] w : windows) {
            for (int channels : new int[] {6, 16}) {
                boolean even = seed % 2 == 0;
                Layer.Conv spec = new Layer.Conv(16, w[0], w[1], even ? 2 : 1, even, even, Initialisers.PYTORCH);
                convolution(even ? MAP : CONV, channels, spec)
                        .seed(seed++)
                        .check(subject, Close.OPERATION, Close.GRADIENT);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void convolutionsAddTheirResidualBeforeReluAndPassItsGradientOn(Subject subject) {
        for (boolean relu : new boolean[] {false, true}) {
            for (OpTrial.From from : OpTrial.From.values()) {
                for (int channels : new int[] {5, 17}) {
                    Layer.Conv spec = conv(channels, 3, 1, 1, true, relu);
                    new Pairing(3, Shape.of(channels, 7, 9), (d, scope, xs) -> d.plan(scope, spec, xs, 0, null))
                            .with(CONV, channels)
                            .with(from, channels)
                            .check(subject, Close.OPERATION, Close.GRADIENT);
                }
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void convolutionsInEvaluationMatchTheReference(Subject subject) {
        for (int groups : new int[] {1, 3}) {
            convolution(CONV, 6, conv(9, 3, 2, groups, true, true))
                    .evaluating()
                    .check(subject, Close.OPERATION, Close.GRADIENT);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void denseLayersOnRowsAndOnImagesMatchTheReference(Subject subject) {
        for (boolean relu : new boolean[] {false, true}) {
            Layer.Dense spec = new Layer.Dense(13, relu, relu, Initialisers.PYTORCH);
            Pairing.Planner planner = (d, scope, xs) -> d.plan(scope, spec, xs, 0, null);
            new Pairing(3, Shape.of(2, 5, 5), planner).withRows(207).check(subject, Close.OPERATION, Close.GRADIENT);
            new Pairing(3, Shape.of(5, 3, 7), planner).with(MAP, 5).check(subject, Close.OPERATION, Close.GRADIENT);
            new Pairing(3, Shape.of(5, 3, 7), planner).with(CONV, 17).check(subject, Close.OPERATION, Close.GRADIENT);
            new Pairing(1, Shape.of(5, 3, 7), planner)
                    .with(CONV, 17)
                    .evaluating()
                    .check(subject, Close.OPERATION, Close.GRADIENT);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void poolsMatchTheReference(Subject subject) {
        for (Layer.PoolKind kind : Layer.PoolKind.values()) {
            int[][] shapes = {{2, 2, 0}, {3, 2, 1}, {3, 1, 1}, {7, 7, 0}};
            for (int[] s : shapes) {
                Layer.Pool spec = new Layer.Pool(kind, s[0], s[1], s[2]);
                for (OpTrial.From from : OpTrial.From.values()) {
                    new Pairing(3, Shape.of(17, 7, 7), (d, scope, xs) -> d.plan(scope, spec, xs, 0, null))
                            .with(from, 17)
                            .check(subject, Close.OPERATION, Close.OPERATION);
                }
            }
            Layer.Pool whole = new Layer.Pool(kind, new Layer.Window(7, 7, 0), new Layer.Window(9, 9, 0));
            Layer.Pool wide = new Layer.Pool(kind, new Layer.Window(2, 2, 1), new Layer.Window(3, 1, 0));
            for (Layer.Pool spec : List.of(whole, wide)) {
                new Pairing(3, Shape.of(17, 7, 9), (d, scope, xs) -> d.plan(scope, spec, xs, 0, null))
                        .with(CONV, 17)
                        .check(subject, Close.OPERATION, Close.OPERATION);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void reluAndSumsOfDifferentLayoutsMatchTheReference(Subject subject) {
        for (OpTrial.From from : OpTrial.From.values()) {
            new Pairing(3, Shape.of(17, 7, 9), (d, scope, xs) -> d.plan(scope, new Layer.Relu(), xs, 0, null))
                    .with(from, 17)
                    .check(subject, Close.ROUNDING, Close.ROUNDING);
            for (OpTrial.From other : OpTrial.From.values()) {
                new Pairing(3, Shape.of(17, 7, 9), (d, scope, xs) -> d.plan(scope, new Layer.Add(), xs, 0, null))
                        .with(from, 17)
                        .with(other, 17)
                        .check(subject, Close.ROUNDING, Close.ROUNDING);
            }
        }
        new Pairing(3, Shape.of(2, 3, 3), (d, scope, xs) -> d.plan(scope, new Layer.Relu(), xs, 0, null))
                .withRows(13)
                .check(subject, Close.ROUNDING, Close.ROUNDING);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void functionsMatchTheReference(Subject subject) {
        for (Elementwise f : List.of(new Softplus(), new Activation.Gelu(), new Activation.Silu())) {
            Close close = f instanceof Activation ? Close.OPERATION : Close.ROUNDING;
            Pairing.Planner planner = (d, scope, xs) -> d.plan(scope, new Layer.Pointwise(f), xs, 0, null);
            for (OpTrial.From from : OpTrial.From.values()) {
                new Pairing(3, Shape.of(17, 7, 9), planner).with(from, 17).check(subject, close, close);
            }
            new Pairing(3, Shape.of(2, 3, 3), planner).withRows(13).check(subject, close, close);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void batchNormInTrainingMatchesTheReference(Subject subject) {
        for (boolean relu : new boolean[] {false, true}) {
            Layer.BatchNorm spec = new Layer.BatchNorm(1e-5, 0.1, relu);
            Pairing.Planner planner = (d, scope, xs) -> d.plan(scope, spec, xs, 0, null);
            for (long seed = 1; seed <= 3; seed++) {
                new Pairing(3, Shape.of(5, 7, 9), planner)
                        .with(MAP, 5)
                        .seed(seed)
                        .check(subject, Close.GRADIENT, Close.GRADIENT);
                new Pairing(3, Shape.of(5, 7, 9), planner)
                        .with(CONV, 17)
                        .seed(seed)
                        .check(subject, Close.GRADIENT, Close.GRADIENT);
                new Pairing(5, Shape.of(2, 3, 3), planner)
                        .withRows(13)
                        .seed(seed)
                        .check(subject, Close.GRADIENT, Close.GRADIENT);
            }
        }
    }

    /** Channels that 16 bytes divide and others, few and more than a block takes; rows for one part and for several. */
    @ParameterizedTest
    @MethodSource(ALL)
    void batchNormOfAnyNumberOfChannelsMatchesTheReference(Subject subject) {
        Layer.BatchNorm spec = new Layer.BatchNorm(1e-5, 0.1, true);
        Pairing.Planner planner = (d, scope, xs) -> d.plan(scope, spec, xs, 0, null);
        for (int channels : new int[] {1, 3, 4, 13, 36, 130, 132}) {
            new Pairing(3, Shape.of(3, 7, 9), planner)
                    .with(CONV, channels)
                    .seed(channels)
                    .check(subject, Close.GRADIENT, Close.GRADIENT);
        }
        for (int channels : new int[] {3, 8}) {
            new Pairing(5, Shape.of(3, 29, 31), planner)
                    .with(CONV, channels)
                    .seed(channels)
                    .check(subject, Close.GRADIENT, Close.GRADIENT);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void batchNormAddsItsResidualBeforeReluAndPassesItsGradientOn(Subject subject) {
        for (boolean relu : new boolean[] {false, true}) {
            Layer.BatchNorm spec = new Layer.BatchNorm(1e-5, 0.1, relu);
            Pairing.Planner planner = (d, scope, xs) -> d.plan(scope, spec, xs, 0, null);
            for (OpTrial.From from : OpTrial.From.values()) {
                for (int channels : new int[] {1, 3, 8, 17, 36}) {
                    Pairing pairing = new Pairing(3, Shape.of(channels, 7, 9), planner)
                            .with(CONV, channels)
                            .with(from, channels)
                            .seed(channels);
                    pairing.check(subject, Close.GRADIENT, Close.GRADIENT);
                    pairing.evaluating().check(subject, Close.OPERATION, Close.GRADIENT);
                }
            }
            new Pairing(5, Shape.of(8, 29, 31), planner)
                    .with(CONV, 8)
                    .with(MAP, 8)
                    .check(subject, Close.GRADIENT, Close.GRADIENT);
            new Pairing(5, Shape.of(2, 3, 3), planner)
                    .withRows(13)
                    .withRows(13)
                    .check(subject, Close.GRADIENT, Close.GRADIENT);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void batchNormInEvaluationUsesTheStoredStatistics(Subject subject) {
        for (boolean relu : new boolean[] {false, true}) {
            Layer.BatchNorm spec = new Layer.BatchNorm(1e-5, 0.1, relu);
            Pairing.Planner planner = (d, scope, xs) -> d.plan(scope, spec, xs, 0, null);
            for (OpTrial.From from : OpTrial.From.values()) {
                new Pairing(3, Shape.of(17, 7, 9), planner)
                        .with(from, 17)
                        .evaluating()
                        .check(subject, Close.OPERATION, Close.GRADIENT);
            }
            new Pairing(5, Shape.of(2, 3, 3), planner)
                    .withRows(13)
                    .evaluating()
                    .check(subject, Close.OPERATION, Close.GRADIENT);
        }
    }

    /** One group, a group a channel, groups of more channels than a warp has lanes; images and rows. */
    @ParameterizedTest
    @MethodSource(ALL)
    void groupNormMatchesTheReference(Subject subject) {
        for (int[] s : new int[][] {{12, 1}, {12, 3}, {12, 12}, {66, 2}}) {
            Layer.GroupNorm spec = new Layer.GroupNorm(s[1], 1e-5);
            Pairing.Planner planner = (d, scope, xs) -> d.plan(scope, spec, xs, 0, null);
            Pairing image = new Pairing(3, Shape.of(s[0], 7, 9), planner).with(s[1] == 3 ? MAP : CONV, s[0]);
            image.check(subject, Close.GRADIENT, Close.GRADIENT);
            if (s[1] == 3) image.evaluating().check(subject, Close.GRADIENT, Close.GRADIENT);
            if (s[1] > 3) continue; // Groups of one value each are all 0.
            new Pairing(5, Shape.of(2, 3, 3), planner).withRows(s[0]).check(subject, Close.GRADIENT, Close.GRADIENT);
        }
    }

    /** Bits, for nothing is computed; inputs of any layouts. */
    @ParameterizedTest
    @MethodSource(ALL)
    void concatenationMatchesTheReference(Subject subject) {
        Pairing.Planner planner = (d, scope, xs) -> d.plan(scope, new Layer.Concat(), xs, 0, null);
        Pairing three = new Pairing(3, Shape.of(5, 7, 9), planner)
                .with(CONV, 17)
                .with(MAP, 5)
                .with(CONV, 16);
        three.check(subject, Close.ROUNDING, Close.ROUNDING);
        three.evaluating().check(subject, Close.ROUNDING, Close.ROUNDING);
        new Pairing(3, Shape.of(2, 3, 3), planner)
                .withRows(13)
                .withRows(6)
                .check(subject, Close.ROUNDING, Close.ROUNDING);
    }

    private static Stream<Class<?>> kinds(Class<?> of) {
        return of.isSealed()
                ? Arrays.stream(of.getPermittedSubclasses()).flatMap(OpContractTest::kinds)
                : Stream.of(of);
    }

    /** Devices choose by a layer's kind at run time: no compiler sees one that they forget. */
    @ParameterizedTest
    @MethodSource(ALL)
    void everyKindOfLayerIsPlanned(Subject subject) {
        Initializer zero = Initializer.constant(0);
        List<Layer> layers = List.of(
                new Layer.Conv(4, 3, 1, 1, 1, true, true, zero),
                new Layer.BatchNorm(1e-5, 0.1, true),
                new Layer.Dense(5, true, true, zero),
                new Layer.Pool(Layer.PoolKind.MAX, 2, 2, 0),
                new Layer.Relu(),
                new Layer.Add(),
                new Layer.Concat(),
                new Layer.GroupNorm(3, 1e-5),
                new Layer.Dropout(0.5),
                new Layer.Pointwise(new Softplus()));
        assertEquals(
                kinds(Layer.class).collect(Collectors.toSet()),
                layers.stream().map(Layer::getClass).collect(Collectors.toSet()));
        try (Device device = subject.open();
                OpTrial trial = OpTrial.of(device, PlanContext.Mode.TRAIN, 2, Shape.of(3, 6, 6))) {
            Tensor x = trial.input(OpTrial.From.CONV, 3);
            for (Layer layer : layers) {
                boolean two = layer instanceof Layer.Add || layer instanceof Layer.Concat;
                List<Tensor> inputs = two ? List.of(x, x) : List.of(x);
                Op op = trial.plan(layer.toString(), s -> device.plan(s, layer, inputs, 1, trial.control));
                Shape sample = x.shape().sample();
                assertEquals(
                        layer.output("", List.of(sample, sample)).batched(2),
                        op.output().shape());
            }
        }
    }
}
