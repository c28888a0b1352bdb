package io.basin.cuda;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.device.Arena;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.EpochMetrics;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.MemoryEstimate;
import io.basin.device.OpTrial;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.nn.Nets;
import io.basin.train.Run;
import io.basin.train.Setup;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/**
 * Strict convolutions with channels last and on copies with channels first: the faster is taken, said and kept, and either computes
 * what the CPU does.
 */
class ConvLayoutTest {
    /** Where channels first are to be chosen; without it the copies take longer than anything else. */
    static final String SLOW_LAST = "slow-nhwc-fma-forward,slow-nhwc-fma-data,slow-nhwc-fma-filter";

    private static final String COPIES = "on copies with channels first";
    private static final int STEPS = 6;

    /** Of each step, with the algorithms' lines. */
    private record Outcome(double[] losses, List<String> choices) {
        long copies() {
            return choices.stream().filter(l -> l.contains(COPIES)).count();
        }
    }

    private static Outcome train(String name, Precision precision) {
        double[] losses = new double[STEPS];
        double[] lr = new double[STEPS];
        Arrays.fill(lr, 2e-3); // With a large rate rounding grows tenfold a step.
        Setup setup = Setup.of(Nets.smallCnn(Shape.of(1, 12, 12), 10), 8)
                .with(precision)
                .withRates(lr, new double[STEPS]);
        try (Device device = Devices.open(name, 1);
                Run run = setup.on(device)) {
            double before = 0;
            for (int t = 0; t < STEPS; t++) {
                run.oneStep();
                EpochMetrics totals = run.control.read();
                losses[t] = (totals.loss() - before) / setup.batch().batch();
                before = totals.loss();
            }
            return new Outcome(losses, device.choices());
        }
    }

    private static void requireAgreement(double[] expected, double[] actual) {
        for (int t = 0; t < STEPS; t++) assertEquals(expected[t], actual[t], 1e-4 * expected[t], "loss of step " + t);
    }

    @Test
    void aNetLosesOnEitherLayoutWhatItLosesOnTheCpu() throws Exception {
        if (!Cuda.software()) return;
        double[] expected = train("cpu", Precision.FP32).losses();
        Cuda.where("", () -> {
            Outcome last = train("cuda", Precision.STRICT);
            assertEquals(0, last.copies(), last.choices().toString());
            assertTrue(
                    last.choices().stream().allMatch(l -> l.contains("(on copies ")),
                    last.choices().toString());
            requireAgreement(expected, last.losses());
        });
        Cuda.where(SLOW_LAST, () -> {
            Outcome first = train("cuda", Precision.STRICT);
            assertEquals(first.choices().size(), first.copies(), first.choices().toString());
            assertTrue(
                    first.choices().get(0).contains("(with channels last "),
                    first.choices().toString());
            requireAgreement(expected, first.losses());
            // Kept, though now the others would be faster: the same calls, and so the same bits.
            SoftGpu.cudnn("");
            Outcome again = train("cuda", Precision.STRICT);
            assertEquals(first.choices(), again.choices());
            assertArrayEquals(first.losses(), again.losses());
        });
    }

    /** TF32 and bfloat16 have kernels for channels last; so only what is strict tries copies. */
    @Test
    void eachDirectionIsChosenByItselfAndStrictOnesAlone() throws Exception {
        if (!Cuda.software()) return;
        Cuda.where("slow-nhwc-fma-data,slow-nhwc-tensor-forward", () -> {
            for (Precision precision : List.of(Precision.STRICT, Precision.FP32, Precision.BF16)) {
                List<String> copied = choices(precision).stream()
                        .filter(l -> l.contains(COPIES))
                        .toList();
                assertEquals(precision == Precision.STRICT ? 1 : 0, copied.size(), copied.toString());
                assertTrue(copied.stream().allMatch(l -> l.startsWith("data ")), copied.toString());
            }
        });
    }

    private static List<String> choices(Precision precision) {
        try (Device device = Devices.open("cuda", 1);
                OpTrial trial = OpTrial.of(device, PlanContext.Mode.TRAIN, 2, Shape.of(3, 9, 9), precision)) {
            trial.layer("op", layer(), trial.input(OpTrial.From.CONV, 4));
            return device.choices();
        }
    }

    private static Layer.Conv layer() {
        return new Layer.Conv(5, 3, 2, 1, 1, false, false, Initializer.constant(1));
    }

    /** A batch that is named because it fits has to fit, whatever is the fastest at that batch. */
    @Test
    void whatCopiesWouldTakeIsSparedWhereTheyAreNotChosen() throws Exception {
        if (!Cuda.software()) return;
        MemoryEstimate[] demands = new MemoryEstimate[2];
        for (int i = 0; i < demands.length; i++) {
            int at = i;
            Cuda.where(i == 0 ? "" : SLOW_LAST, () -> demands[at] = demand());
        }
        long without = demands[0].of(Arena.SCRATCH);
        long with = demands[1].of(Arena.SCRATCH);
        assertTrue(with > without, "copies take no memory: " + with + ", without them " + without);
        int copies = 4 * (2 * 4 * 9 * 9 + 5 * 4 * 3 * 3 + 2 * 5 * 5 * 5); // x, w and y of the layer
        assertTrue(with >= copies, with + " of " + copies);
        for (MemoryEstimate demand : demands) {
            long growing = demand.scratch().growing();
            assertTrue(
                    growing >= copies && growing + demand.scratch().fixed() >= with, demand.scratch() + " of " + with);
        }
    }

    private static MemoryEstimate demand() {
        try (Device device = Devices.open("cuda", 1);
                OpTrial trial = OpTrial.of(device, PlanContext.Mode.TRAIN, 2, Shape.of(3, 9, 9), Precision.STRICT)) {
            trial.layer("op", layer(), trial.input(OpTrial.From.CONV, 4));
            return trial.demand();
        }
    }
}
