package io.basin.device;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.train.Run;
import io.basin.train.Setup;
import io.basin.train.UserNets;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** The oracle's own gradients, hand-written, against central differences of its loss. */
class ReferenceGradientTest {
    private static final int ELEMENTS = 8;

    @Test
    void gradientsEqualCentralDifferences() {
        List<Graph> nets = List.of(
                UserNets.plain(),
                UserNets.postActivation(),
                UserNets.grouped(),
                UserNets.dropped(),
                UserNets.shared(),
                UserNets.chained(),
                UserNets.windows(),
                Nets.mlp(UserNets.SAMPLE, 7, 13),
                Nets.preResNet(8, UserNets.SAMPLE, 5));
        for (Graph net : nets) for (long seed = 1; seed <= 3; seed++) compare(net, seed, 1e-6, 1e-6);
    }

    /** A user's function works in float32, so the differences are coarse. */
    @Test
    void gradientsThroughFunctionsOfOnesOwnEqualCentralDifferences() {
        for (long seed = 1; seed <= 3; seed++) {
            compare(UserNets.mapped(), seed, 3e-3, 2e-3);
            compare(UserNets.groupNormed(), seed, 3e-3, 2e-3);
        }
    }

    private static void compare(Graph net, long seed, double h, double tolerance) {
        try (Device device = new ReferenceDevice();
                Run run = Setup.of(net, 3).withSeed(seed).on(device)) {
            run.oneStep();
            run.gradients();
            Random random = new Random(seed);
            double[] w = ((ReferenceMemory) run.storage.memory(Arena.PARAMS)).values();
            double[] g =
                    ((ReferenceMemory) run.storage.memory(Arena.GRADS)).values().clone();
            double scale = 0;
            for (double v : g) scale = Math.max(scale, Math.abs(v));
            for (Parameter p : run.storage.parameters()) {
                for (int k = 0; k < ELEMENTS; k++) {
                    int i = (int) (p.slot().offset() / 4)
                            + random.nextInt(Math.toIntExact(p.shape().elements()));
                    double kept = w[i];
                    w[i] = kept + h;
                    double above = loss(run);
                    w[i] = kept - h;
                    double below = loss(run);
                    w[i] = kept;
                    assertEquals((above - below) / (2 * h), g[i], tolerance * scale, p.name() + " [" + i + "]");
                }
            }
        }
    }

    private static double loss(Run run) {
        run.control.start(1);
        run.plan.forward();
        return run.control.read().meanLoss();
    }
}
