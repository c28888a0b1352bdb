package io.basin.train;

import static org.junit.jupiter.api.Assertions.assertEquals;

import io.basin.device.Arena;
import io.basin.device.BatchReader;
import io.basin.device.Close;
import io.basin.device.Device;
import io.basin.device.Images;
import io.basin.device.Loss;
import io.basin.device.Memory;
import io.basin.device.Op;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.Precision;
import io.basin.device.ReferenceDevice;
import io.basin.device.RunState;
import io.basin.device.Sets;
import io.basin.device.Shape;
import io.basin.device.Subject;
import io.basin.device.Tensor;
import io.basin.nn.Graph;
import io.basin.nn.Value;
import java.nio.FloatBuffer;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Several plans of one model: the first chose its layouts, the others have to live with them. */
class SharedModelTest {
    private static final String ALL = "io.basin.device.Subject#all";

    private static List<Graph> nets() {
        return List.of(UserNets.plain(), UserNets.postActivation(), UserNets.grouped(), wide());
    }

    /** Channels enough for every kind of blocking. */
    private static Graph wide() {
        Graph g = new Graph(UserNets.SAMPLE);
        Value x = g.batchNormRelu(g.conv(g.input(), 32, 3));
        x = g.batchNormRelu(g.conv(x, 64, 3, 2, 1, 1, false));
        x = g.conv(x, 48, 1);
        g.dense(g.denseRelu(x, 64), 5);
        return g;
    }

    private static Setup batchOf(Setup s, int batch, Precision precision) {
        BatchReader spec = Sets.shuffled(batch, s.graph().input().shape().dim(0), 11);
        return new Setup(
                s.graph(),
                spec,
                s.count(),
                s.loss(),
                s.step(),
                s.lr(),
                s.alpha(),
                precision,
                s.decayEverything(),
                s.seed());
    }

    private static void secondPlanEqualsItsOwnRun(Subject subject, Setup first, Setup second, Close close) {
        try (Device device = subject.open();
                Run alone = second.on(device);
                Run run = first.on(device);
                Plan plan = Plan.training(
                        new Model(device, second.graph(), second.loss(), second.precision(), run.storage),
                        run.images,
                        run.control,
                        second.batch())) {
            alone.gradients();
            plan.forward();
            plan.backward();
            Map<String, float[]> expected = new HashMap<>();
            double scale = 0;
            for (Parameter p : alone.storage.parameters()) {
                expected.put(p.name(), alone.read(p, Arena.GRADS));
                scale = Math.max(scale, Close.largest(expected.get(p.name())));
            }
            for (Parameter p : run.storage.parameters()) {
                close.check(p.name(), expected.get(p.name()), run.read(p, Arena.GRADS), 1e-2 * scale);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aSecondTrainingPlanOfAnotherBatchSizeLeavesTheSameGradients(Subject subject) {
        for (Graph net : nets()) {
            Setup setup = Setup.of(net, 40);
            for (int[] sizes : new int[][] {{1, 40}, {40, 2}}) {
                Setup first = batchOf(setup, sizes[0], Precision.STRICT);
                secondPlanEqualsItsOwnRun(subject, first, batchOf(setup, sizes[1], Precision.STRICT), Close.GRADIENT);
            }
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aSecondTrainingPlanOfAnotherPrecisionLeavesTheSameGradients(Subject subject) {
        if (!subject.bfloat16()) {
            System.out.println("NOT COVERED: bfloat16 beside float32: " + subject + " has none");
            return;
        }
        for (Graph net : nets()) {
            Setup fp32 = batchOf(Setup.of(net, 8), 8, Precision.STRICT);
            Setup bf16 = batchOf(Setup.of(net, 8), 8, Precision.BF16);
            secondPlanEqualsItsOwnRun(subject, fp32, bf16, Close.BFLOAT16);
            secondPlanEqualsItsOwnRun(subject, bf16, fp32, Close.GRADIENT);
        }
    }

    /** The device's results of evaluating a model that was never trained, by batch, and its measured statistics. */
    private static List<float[]> evaluate(Device device, Graph net, Precision precision, boolean measuring) {
        List<float[]> results = new ArrayList<>();
        int batch = 4;
        Shape sample = net.input().shape();
        Images images = Sets.random(device, 3, 10, sample, 5);
        try (images;
                RunState control = new RunState(device);
                Model model = new Model(device, net, Loss.crossEntropy(0), precision);
                Plan plan = Plan.evaluation(model, images, control, Sets.plain(batch, sample.dim(0)))) {
            ParameterStore storage = model.initialise(4).store();
            Runnable tick = device.arenas().advance(control);
            plan.norms().forEach(Op.BatchNorm::reset);
            for (int at = 0; at < 10; at += batch) {
                for (Op op : plan.ops()) {
                    if (measuring && op instanceof Op.BatchNorm norm) {
                        norm.measure(Math.min(batch, 10 - at));
                        norm.adopt();
                    }
                    op.forward();
                }
                tick.run();
                results.add(read(device, plan, storage, Math.min(batch, 10 - at)));
            }
            assertEquals(10, control.read().seen());
            if (!measuring) return results;
            plan.norms().forEach(Op.BatchNorm::commit);
            for (Parameter s : storage.states()) {
                float[] out = new float[(int) s.shape().elements()];
                device.unpack(storage.memory(Arena.STATE), s.slot().offset(), null, FloatBuffer.wrap(out));
                results.add(out);
            }
        }
        return results;
    }

    private static float[] read(Device device, Plan plan, ParameterStore storage, int rows) {
        Tensor t = plan.probabilities();
        float[] out = new float[(int) t.shape().elements()];
        Memory memory = plan.binding(storage.live()).memory(Arena.ACTIVATIONS);
        device.unpack(memory, t.value().offset(), t.layout(), FloatBuffer.wrap(out));
        return java.util.Arrays.copyOf(out, rows * 5);
    }

    private static void compare(Subject subject, Graph net, Precision precision, boolean measuring, Close close) {
        if (precision == Precision.BF16 && !subject.bfloat16()) return;
        List<float[]> expected;
        try (Device reference = new ReferenceDevice()) {
            expected = evaluate(reference, net, precision, measuring);
        }
        try (Device device = subject.open()) {
            List<float[]> actual = evaluate(device, net, precision, measuring);
            for (int i = 0; i < expected.size(); i++) close.check("result " + i, expected.get(i), actual.get(i));
            assertEquals(0, device.liveBytes());
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void aModelThatWasNeverTrainedEvaluatesAsTheReferenceDoes(Subject subject) {
        List<Graph> all = new ArrayList<>(nets());
        all.addAll(List.of(UserNets.shared(), UserNets.chained(), UserNets.dropped(), UserNets.mapped()));
        for (Graph net : all) {
            compare(subject, net, Precision.STRICT, false, Close.NET);
            compare(subject, net, Precision.BF16, false, Close.BFLOAT16);
        }
    }

    @ParameterizedTest
    @MethodSource(ALL)
    void statisticsMeasuredThroughAWholeNetMatchTheReference(Subject subject) {
        for (Graph net : List.of(UserNets.plain(), UserNets.postActivation(), UserNets.chained(), wide())) {
            compare(subject, net, Precision.STRICT, true, Close.NET);
            compare(subject, net, Precision.BF16, true, Close.BFLOAT16);
        }
    }
}
