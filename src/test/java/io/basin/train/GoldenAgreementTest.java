package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.cuda.Cuda;
import io.basin.data.Dataset;
import io.basin.data.SyntheticSet;
import io.basin.device.AdamW;
import io.basin.device.Arena;
import io.basin.device.Augment;
import io.basin.device.Augmentation;
import io.basin.device.Device;
import io.basin.device.Devices;
import io.basin.device.Images;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Memory;
import io.basin.device.Optimizer;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.Precision;
import io.basin.device.Sgd;
import io.basin.device.Shape;
import io.basin.methods.Averaging;
import io.basin.methods.Schedule;
import io.basin.nn.Graph;
import io.basin.nn.Nets;
import io.basin.nn.Value;
import io.basin.random.Permutation;
import io.basin.torch.GoldenProcess;
import io.basin.torch.GoldenSpec;
import io.basin.torch.RawTensors;
import io.basin.torch.TorchSgd;
import io.basin.torch.TorchSgd.Route;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Ten steps of SGD or AdamW from the same weights on the same batches come to the same as libtorch's. */
class GoldenAgreementTest {
    private static final int STEPS = 10;
    private static final int BATCH = 32;
    /** Small: beyond it, rounding that flips a maximum grows tenfold a step, in either library against itself. */
    private static final double LR = 0.001;

    /**
     * How far two moves of a weight may lie apart, as a share of the largest move in its tensor. Most agree to 0.01; where
     * rounding flips a ReLU or a maximum, one sample's gradient goes another way.
     */
    private static final double MOVES = 0.05;

    /** The same in bfloat16, by the norm over all weights: rounding to 8 bits turns more of those signs. */
    private static final double NARROW_MOVES = 0.15;

    static final int CLASSES = 10;
    private static final long SEED = 11;
    private static final double AVERAGE = 0.25;

    @TempDir
    private Path directory;

    /** As TorchNets has it. */
    public static final class Smooth implements Supplier<Graph> {
        @Override
        public Graph get() {
            Graph g = new Graph(Shape.of(3, 32, 32));
            Layer.Window high = new Layer.Window(3, 2, 1);
            Layer.Window wide = new Layer.Window(6, 3, 2);
            Layer.Window dilated = new Layer.Window(3, 1, 2, 2);
            Initializer init = Initializer.fanIn();
            Value x = g.at("conv1").conv(g.input(), new Layer.Conv(16, high, wide, 1, true, false, init));
            x = g.gelu(g.at("norm1").groupNorm(x, 4));
            Value y = g.at("conv2").conv(x, new Layer.Conv(12, dilated, dilated, 1, false, false, init));
            y = g.silu(g.at("norm2").groupNorm(y, 6));
            x = g.silu(g.at("conv3").conv(g.concat(x, y), 16, 3, 2, 1, 1, true));
            g.at("fc").dense(g.globalAveragePool(x), CLASSES);
            return g;
        }
    }

    @ParameterizedTest
    @CsvSource({
        "cpu, mlp, mlp, 1, 28, sgd",
        "cpu, small-cnn, smallcnn, 1, 28, sgd",
        "cpu, small-cnn, smallcnn, 3, 32, nesterov",
        "cpu, preresnet20, preresnet20, 3, 32, sgd",
        "cpu, io.basin.train.GoldenAgreementTest$Smooth, smooth, 3, 32, sgd",
        "cpu, mlp, mlp, 1, 28, adamw",
        "cuda, mlp, mlp, 1, 28, sgd",
        "cuda, small-cnn, smallcnn, 1, 16, nesterov",
        "cuda, mlp, mlp, 1, 28, adamw",
        "cuda, io.basin.train.GoldenAgreementTest$Smooth, smooth, 3, 32, sgd",
        "cuda, preresnet20, preresnet20, 3, 16, sgd"
    })
    void tenStepsAgreeWithLibtorch(
            String deviceName, String net, String torchNet, int channels, int size, String rule) {
        if (deviceName.equals("cuda") && !Cuda.works()) return;
        Dataset set = SyntheticSet.synthetic(STEPS * BATCH, size, size, channels, CLASSES, 3);
        Augmentation augmentation = set.augmentation(2, true);
        RawTensors input = new RawTensors(directory.resolve("in"));
        writeBatches(input, set, augmentation);
        try (Device device = Devices.open(deviceName, 1);
                Images images = set.upload(device);
                Training session = session(device, net, images, augmentation, rule, Precision.STRICT)) {
            ParameterStore storage = session.model().store();
            Map<String, float[]> first = new HashMap<>();
            for (Parameter p : storage.parameters()) {
                first.put(p.name(), read(device, p, storage.memory(Arena.PARAMS)));
                input.write(p.name(), first.get(p.name()), p.shape().toLongs());
            }
            double[] losses = losses(session);
            Path out = directory.resolve("out");
            double[] golden = GoldenProcess.run(spec(torchNet, channels, size, rule, input, out), 300);
            for (int i = 0; i < STEPS; i++) assertEquals(golden[i], losses[i], 1e-4 * golden[i], "loss of step " + i);
            RawTensors theirs = new RawTensors(out);
            compareWeights(device, storage, first, theirs);
            // AdamW's steps are of the rate's size, however much rounding there is in a gradient.
            if (!deviceName.equals("cuda") || rule.equals("adamw") || !device.supports(Precision.BF16)) return;
            try (Training narrow = session(device, net, images, augmentation, rule, Precision.BF16)) {
                compareNarrow(device, narrow, first, golden, theirs);
            }
        }
    }

    private static GoldenSpec spec(String net, int channels, int size, String rule, RawTensors input, Path out) {
        return new GoldenSpec(
                net,
                channels,
                size,
                CLASSES,
                BATCH,
                STEPS,
                lr(rule),
                0.9,
                5e-4,
                rule.equals("nesterov"),
                AVERAGE,
                rule.equals("adamw") ? Route.ADAMW : Route.MODULE,
                input.directory(),
                out);
    }

    /** In bfloat16 the same weights begin, each loss lies near, and each tensor has gone the same way by its norm. */
    private static void compareNarrow(
            Device device, Training narrow, Map<String, float[]> first, double[] golden, RawTensors theirs) {
        ParameterStore storage = narrow.model().store();
        double[] losses = losses(narrow);
        for (int i = 0; i < STEPS; i++) assertEquals(golden[i], losses[i], 0.01 * golden[i], "bf16, loss of step " + i);
        double apart = 0;
        double moved = 0;
        for (Parameter p : storage.parameters()) {
            float[] ours = read(device, p, storage.memory(Arena.PARAMS));
            float[] start = first.get(p.name());
            float[] end = theirs.floats(p.name());
            for (int i = 0; i < ours.length; i++) {
                apart += Math.pow((double) ours[i] - end[i], 2);
                moved += Math.pow((double) start[i] - end[i], 2);
            }
        }
        assertTrue(
                apart <= NARROW_MOVES * NARROW_MOVES * moved, "bf16: moves lie " + Math.sqrt(apart / moved) + " apart");
    }

    private static double[] losses(Training session) {
        double[] losses = new double[STEPS];
        double before = 0;
        for (int i = 0; i < STEPS; i++) {
            session.advance();
            double sum = session.totals().loss();
            losses[i] = (sum - before) / BATCH;
            before = sum;
        }
        return losses;
    }

    private static void compareWeights(
            Device device, ParameterStore storage, Map<String, float[]> first, RawTensors golden) {
        for (Parameter p : storage.parameters()) {
            float[] ours = read(device, p, storage.memory(Arena.PARAMS));
            assertArrayEquals(golden.floats(p.name()), ours, 1e-3f, p.name());
            compareMoves(p.name(), first.get(p.name()), golden.floats(p.name()), ours);
            float[] average = read(device, p, storage.memory(Arena.AVERAGE));
            float[] goldenAverage = golden.floats("average." + p.name());
            assertArrayEquals(goldenAverage, average, 1e-3f, "average of " + p.name());
            compareMoves("average of " + p.name(), first.get(p.name()), goldenAverage, average);
        }
        for (Parameter s : storage.states()) {
            float[] ours = new float[Math.toIntExact(s.shape().elements())];
            device.unpack(storage.live().state(), s.slot().offset(), null, FloatBuffer.wrap(ours));
            float[] theirs = golden.floats(s.name());
            for (int c = 0; c < ours.length; c++) {
                assertEquals(theirs[c], ours[c], 1e-3 * Math.max(1, Math.abs(theirs[c])), s.name() + "[" + c + "]");
            }
        }
    }

    /** At this rate a weight that never moved lies within any bound on its value: how far it moved must agree too. */
    private static void compareMoves(String name, float[] first, float[] golden, float[] ours) {
        double largest = 0;
        double apart = 0;
        for (int i = 0; i < first.length; i++) {
            largest = Math.max(largest, Math.abs(golden[i] - first[i]));
            apart = Math.max(apart, Math.abs(golden[i] - ours[i]));
        }
        assertTrue(largest > 0, name + " does not move in libtorch");
        assertTrue(apart <= MOVES * largest, name + " moves by " + largest + ", up to " + apart + " apart");
    }

    private static float[] read(Device device, Parameter p, Memory arena) {
        float[] values = new float[Math.toIntExact(p.shape().elements())];
        device.unpack(arena, p.slot().offset(), p.layout(), FloatBuffer.wrap(values));
        return values;
    }

    /** The average starts as the first weights on both sides. */
    private static Training session(
            Device device, String net, Images images, Augmentation augmentation, String rule, Precision precision) {
        Settings s = settings(net, optimizer(rule)).with(precision);
        Averaging ema = Averaging.ema(STEPS, 1 - AVERAGE, false, Averaging.everyStep(STEPS, 0));
        return Sessions.session(
                device,
                Nets.build(net, images.sample(), CLASSES),
                images,
                s,
                Schedule.constant(STEPS, lr(rule)),
                ema,
                SEED,
                augmentation);
    }

    /**
     * AdamW moves weights by up to the rate itself, however small their gradients are: of a net with convolutions and maxima, weights
     * whose gradients are rounding would go their own ways in both libraries.
     */
    private static double lr(String rule) {
        return rule.equals("adamw") ? LR / 10 : LR;
    }

    private static Optimizer optimizer(String rule) {
        if (rule.equals("adamw")) return new AdamW(0.9, 0.999, TorchSgd.EPS, 5e-4);
        return new Sgd(0.9, 5e-4, rule.equals("nesterov"));
    }

    private static Settings settings(String net, Optimizer optimizer) {
        Settings.Data data = new Settings.Data(BATCH, 2, true, 1, 0);
        return new Settings("synthetic", net, optimizer, true, 0, Precision.STRICT, data);
    }

    private static void writeBatches(RawTensors input, Dataset set, Augmentation augmentation) {
        Augment augment = new Augment(augmentation, set.height(), set.width(), set.channels());
        float[] pixels = new float[set.count() * augment.outputSize()];
        long[] labels = new long[set.count()];
        for (int i = 0; i < set.count(); i++) {
            int sample = Permutation.at(i, set.count(), SEED, 0);
            augment.into(ByteBuffer.wrap(set.pixels()), sample, SEED, 0, true, pixels, i * augment.outputSize());
            labels[i] = set.labels()[sample];
        }
        input.write(RawTensors.IMAGES, pixels, STEPS, BATCH, set.channels(), set.height(), set.width());
        input.write(RawTensors.LABELS, labels, STEPS, BATCH);
    }
}
