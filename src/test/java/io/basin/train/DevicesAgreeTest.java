package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.cuda.Cuda;
import io.basin.device.Augmentation;
import io.basin.device.BatchReader;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Distortion;
import io.basin.device.EpochMetrics;
import io.basin.device.Images;
import io.basin.device.OpTrial;
import io.basin.device.PlanContext;
import io.basin.device.Sets;
import io.basin.device.Shape;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import org.junit.jupiter.api.Test;

/** The CUDA device and the CPU draw the same batches and lose the same, step by step. */
class DevicesAgreeTest {
    private static final int STEPS = 20;

    /** Batches of every kind, crossing epochs: same pixels to the bit, same labels. */
    @Test
    void batchesAreTheSameBitForBit() {
        if (!Cuda.works()) return;
        BatchReader plain = Sets.shuffled(6, 3, 21);
        BatchReader augmented = new BatchReader(
                6,
                new Augmentation(
                        3,
                        true,
                        plain.augmentation().mean(),
                        plain.augmentation().std()),
                22,
                true);
        Distortion all = new Distortion(0.4, 5, 0.3);
        BatchReader mixed = new BatchReader(6, augmented.augmentation().with(all), 22, true);
        for (BatchReader spec :
                new BatchReader[] {plain, augmented, augmented.plain(), augmented.ordered(), mixed, mixed.ordered()}) {
            try (Device cpu = Devices.open("cpu", 1);
                    Device cuda = Devices.open("cuda", 1);
                    OpTrial a = trial(cpu, spec);
                    OpTrial b = trial(cuda, spec)) {
                for (int step = 0; step < 11; step++) {
                    for (OpTrial t : new OpTrial[] {a, b}) {
                        t.control.start(step);
                        t.batch.forward();
                    }
                    assertArrayEquals(a.readLabels(), b.readLabels());
                    assertArrayEquals(a.read(a.batch.output()), b.read(b.batch.output()));
                }
            }
        }
    }

    private static OpTrial trial(Device device, BatchReader spec) {
        Images images = Sets.random(device, 4, 31, Shape.of(3, 9, 11), 7);
        return new OpTrial(device, PlanContext.Mode.TRAIN, images, spec).ready();
    }

    @Test
    void theMlpLosesTheSame() {
        agree(Nets.mlp(Shape.of(1, 14, 14), 10, 64, 32), 16);
    }

    @Test
    void theSmallCnnLosesTheSame() {
        agree(Nets.smallCnn(Shape.of(1, 16, 16), 10), 8);
    }

    @Test
    void preResNet20LosesTheSame() {
        agree(Nets.preResNet(20, Shape.of(3, 16, 16), 10), 8);
    }

    /** A small rate: with a large one rounding grows tenfold a step, on either device against itself. */
    private static void agree(Graph net, int batch) {
        if (!Cuda.works()) return;
        double[] lr = new double[STEPS];
        double[] alpha = new double[STEPS];
        for (int t = 0; t < STEPS; t++) {
            lr[t] = 2e-3 / (1 + t % 3);
            alpha[t] = t % 4 == 3 ? 4.0 / (t + 1) : 0;
        }
        Setup setup = Setup.of(net, batch).withRates(lr, alpha);
        double[] expected = losses("cpu", setup);
        double[] actual = losses("cuda", setup);
        for (int t = 0; t < STEPS; t++) assertEquals(expected[t], actual[t], 1e-4 * expected[t], "loss of step " + t);
    }

    private static double[] losses(String name, Setup setup) {
        double[] losses = new double[STEPS];
        double before = 0;
        try (Device device = Devices.open(name, 1);
                Run run = setup.on(device)) {
            for (int t = 0; t < STEPS; t++) {
                run.oneStep();
                EpochMetrics totals = run.control.read();
                losses[t] = (totals.loss() - before) / setup.batch().batch();
                before = totals.loss();
            }
        }
        return losses;
    }
}
