package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Draws;
import io.basin.device.Layer;
import io.basin.device.Op;
import io.basin.device.OpTrial;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** How often batch norm passes over its tensors, and in how many launches, as the software GPU counts them. */
class NormTrafficTest {
    private static final int SAMPLES = 5;
    private static final int SIDE = 32;
    /** One that 16 bytes divide, and one where every element is an access of its own. */
    private static final List<Integer> CHANNELS = List.of(16, 17);

    /** Vectors over the channels of which each thread of a kernel reads its part once. */
    private static final Map<String, Integer> VECTORS =
            Map.of("moments", 1, "measure", 1, "normalise", 4, "gradientSums", 4, "inputGradient", 6);

    /** Bytes of the kernels that leave sums of each channel and slab. */
    private static final Map<String, Integer> SUMS = Map.of("moments", 8, "measure", 16, "gradientSums", 8);

    private static long bytes(String kernel) {
        return SoftGpu.counter("kernel:" + kernel + ":loaded") + SoftGpu.counter("kernel:" + kernel + ":stored");
    }

    /** A batch norm alone on the software GPU. */
    private static final class Bench implements AutoCloseable {
        final Device device = Devices.open("cuda", 1);
        final OpTrial trial;
        final Op.BatchNorm norm;
        final int channels;
        final long elements;
        final boolean residual;
        final boolean narrow;

        Bench(PlanContext.Mode mode, int channels, boolean relu, boolean residual) {
            this(mode, channels, relu, residual, Precision.FP32);
        }

        Bench(PlanContext.Mode mode, int channels, boolean relu, boolean residual, Precision precision) {
            narrow = precision == Precision.BF16;
            this.channels = channels;
            this.residual = residual;
            trial = OpTrial.of(device, mode, SAMPLES, Shape.of(channels, SIDE, SIDE), precision);
            Tensor x = trial.input(OpTrial.From.CONV, channels);
            Tensor r = residual ? trial.input(OpTrial.From.MAP, channels) : null;
            Layer.BatchNorm layer = new Layer.BatchNorm(1e-5, 0.1, relu);
            norm = (Op.BatchNorm) (r == null ? trial.layer("op", layer, x) : trial.layer("op", layer, x, r));
            trial.ready();
            elements = x.shape().elements();
            trial.write(x, Draws.normal(1, elements));
            if (residual) trial.write(r, Draws.normal(2, elements));
            if (mode == PlanContext.Mode.TRAIN) trial.writeGrad(norm.output(), Draws.normal(3, elements));
        }

        /** Passes over the tensor of a kernel over rows, after what it moves besides, which is as its header says. */
        double passes(String kernel) {
            int size = narrow ? 2 : 4;
            RowGrid grid = RowGrid.of(SAMPLES * SIDE * SIDE, channels, size);
            int wide = channels % (16 / size) == 0 ? 16 / size : 1;
            long threads = (long) channels / wide * grid.stripes() * grid.slabs();
            // Those that sum begin with a row of the tensor itself, in its type.
            long besides = (kernel.startsWith("m") ? size : 4L) * wide * VECTORS.get(kernel) * threads;
            if (SUMS.containsKey(kernel)) besides += (long) SUMS.get(kernel) * channels * grid.slabs();
            if (kernel.startsWith("m")) besides += 4L * channels;
            return (bytes(narrow ? kernel + "Bf16" : kernel) - besides) / ((double) size * elements);
        }

        /** Counts what the work launches, once it is done. */
        void launches(int expected, Runnable work) {
            trial.read(norm.output());
            SoftGpu.reset();
            work.run();
            trial.read(norm.output());
            assertEquals(expected, SoftGpu.counter("launches"));
        }

        @Override
        public void close() {
            trial.close();
            device.close();
        }
    }

    private static boolean counts() {
        if (Cuda.software()) return true;
        System.out.println("NOT COVERED: traffic of batch norm: no software GPU here to count bytes");
        return false;
    }

    @ParameterizedTest
    @EnumSource(names = {"FP32", "BF16"})
    void trainingTakesThreePassesForwardFiveBackwardAndTheResiduals(Precision precision) {
        if (!counts()) return;
        for (int channels : CHANNELS) {
            for (boolean relu : new boolean[] {false, true}) {
                for (boolean residual : new boolean[] {false, true}) {
                    String what = channels + " channels, relu " + relu + ", residual " + residual;
                    try (Bench bench = new Bench(PlanContext.Mode.TRAIN, channels, relu, residual, precision)) {
                        bench.launches(3, bench.norm::forward);
                        assertEquals(1, bench.passes("moments"), what);
                        assertEquals(residual ? 3 : 2, bench.passes("normalise"), what);
                        bench.launches(3, bench.norm::backward);
                        // With both, y is read for its sign, and the residual's gradient written.
                        assertEquals(relu && residual ? 4 : 2, bench.passes("gradientSums"), what);
                        assertEquals(3, bench.passes("inputGradient"), what);
                    }
                }
            }
        }
    }

    @Test
    void evaluationIsOneLaunchInTwoPassesAndMeasuringReadsOnce() {
        if (!counts()) return;
        for (int channels : CHANNELS) {
            for (boolean residual : new boolean[] {false, true}) {
                try (Bench bench = new Bench(PlanContext.Mode.EVALUATE, channels, true, residual)) {
                    bench.launches(1, bench.norm::forward);
                    assertEquals(residual ? 3 : 2, bench.passes("normalise"));
                    bench.norm.reset();
                    bench.launches(2, () -> bench.norm.measure(SAMPLES));
                    assertEquals(1, bench.passes("measure"));
                }
            }
        }
    }

    @Test
    void elementsMoveSixteenBytesAtATimeWhereTheChannelsAllowIt() {
        if (!counts()) return;
        try (Bench bench = new Bench(PlanContext.Mode.TRAIN, 16, true, true)) {
            bench.launches(6, () -> {
                bench.norm.forward();
                bench.norm.backward();
            });
            for (String kernel : List.of("normalise", "inputGradient")) {
                assertEquals(bytes(kernel), SoftGpu.counter("kernel:" + kernel + ":wide"), kernel);
            }
            for (String kernel : List.of("moments", "gradientSums")) {
                double share = (double) SoftGpu.counter("kernel:" + kernel + ":wide") / bytes(kernel);
                assertTrue(share > 0.95, kernel + " " + share);
            }
        }
    }

    @Test
    void whatIsDoneForEachChannelReadsThePartialSumsOnce() {
        if (!counts()) return;
        int slabs = RowGrid.of(SAMPLES * SIDE * SIDE, 16, 4).slabs();
        try (Bench bench = new Bench(PlanContext.Mode.TRAIN, 16, false, false)) {
            bench.launches(6, () -> {
                bench.norm.forward();
                bench.norm.backward();
            });
            assertEquals(16 * (8L * slabs + 28), bytes("finalise"));
            assertEquals(16 * (8L * slabs + 12), bytes("parameterGradients"));
        }
        try (Bench bench = new Bench(PlanContext.Mode.EVALUATE, 16, false, false)) {
            bench.norm.reset();
            bench.launches(2, () -> bench.norm.measure(SAMPLES));
            assertEquals(16 * (16L * slabs + 60), bytes("merge"));
        }
    }
}
