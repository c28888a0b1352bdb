package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Close;
import io.basin.device.Device;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import java.util.List;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Whole nets train as the reference trains them: outputs, gradients, weights, momentum, average, statistics. */
class NetContractTest {
    private static final String ALL = "io.basin.device.Subject#all";
    private static final int STEPS = 3;
    /** Of the deepest net, where rounding may turn the sign of a ReLU's input from the third step on. */
    private static final int FEW_STEPS = 2;

    private static void agree(Graph graph, int batch, Close close, Subject subject) {
        agree(graph, batch, close, subject, STEPS);
    }

    private static void agree(Graph graph, int batch, Close close, Subject subject, int steps) {
        new Agreement(Setup.of(graph, batch), close).check(subject, steps);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theMlpTrainsAsTheReferenceDoes(Subject subject) {
        agree(Nets.mlp(Shape.of(1, 7, 7), 10, 33, 17), 4, Close.NET, subject);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theSmallCnnTrainsAsTheReferenceDoes(Subject subject) {
        agree(Nets.smallCnn(Shape.of(1, 12, 12), 10), 3, Close.NET, subject);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void thePreActivationNetTrainsAsTheReferenceDoes(Subject subject) {
        agree(Nets.preResNet(20, Shape.of(3, 16, 16), 10), 4, Close.DEEP_NET, subject);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void theBottleneckAndTheWideNetTrainAsTheReferenceDoes(Subject subject) {
        agree(Nets.preResNet(47, Shape.of(3, 8, 8), 10), 3, Close.DEEP_NET, subject, FEW_STEPS);
        agree(Nets.wideResNet(10, 2, Shape.of(3, 8, 8), 10), 3, Close.DEEP_NET, subject);
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void netsOfOnesOwnTrainAsTheReferenceDoes(Subject subject) {
        List<Graph> nets = List.of(
                UserNets.plain(),
                UserNets.biased(),
                UserNets.postActivation(),
                UserNets.normedImages(),
                UserNets.grouped(),
                UserNets.dropped(),
                UserNets.shared(),
                UserNets.chained(),
                UserNets.windows(),
                UserNets.groupNormed(),
                UserNets.mapped());
        for (Graph net : nets) {
            for (long seed = 1; seed <= 2; seed++) {
                Setup setup = Setup.of(net, 5).withSeed(seed);
                new Agreement(setup, Close.NET).check(subject, STEPS);
                Setup nesterov = setup.withStep(new Sgd(0.8, 1e-2, true)).sparingVectors();
                new Agreement(nesterov, Close.NET).check(subject, STEPS);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void netsInBfloat16StayNearTheReferenceOrAreRefused(Subject subject) {
        if (!subject.bfloat16()) {
            requireRefusal(subject);
            return;
        }
        for (Graph net : List.of(UserNets.smooth(), UserNets.mapped(), UserNets.groupNormed())) {
            new Agreement(Setup.of(net, 8).with(Precision.BF16), Close.BFLOAT16).check(subject, 1);
        }
        List<Graph> kinked = List.of(
                UserNets.plain(),
                UserNets.biased(),
                UserNets.postActivation(),
                UserNets.grouped(),
                UserNets.dropped(),
                UserNets.chained());
        for (Graph net : kinked) {
            new Agreement(Setup.of(net, 8).with(Precision.BF16), Close.BFLOAT16_KINKED).check(subject, 1);
        }
    }

    private static void requireRefusal(Subject subject) {
        Setup setup = Setup.of(UserNets.smooth(), 8).with(Precision.BF16);
        try (Device device = subject.open()) {
            String message = assertThrows(IllegalArgumentException.class, () -> setup.on(device))
                    .getMessage();
            assertTrue(message.startsWith("`precision` bf16"), message);
            assertEquals(0, device.liveBytes());
        }
    }
}
