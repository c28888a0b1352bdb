package io.basin.examples;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import ai.djl.nn.Activation;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.nn.SequentialBlock;
import ai.djl.nn.core.Linear;
import ai.djl.nn.norm.BatchNorm;
import ai.djl.training.DefaultTrainingConfig;
import ai.djl.training.GradientCollector;
import ai.djl.training.ParameterStore;
import ai.djl.training.Trainer;
import ai.djl.training.initializer.UniformInitializer;
import ai.djl.training.loss.Loss;
import ai.djl.training.optimizer.Optimizer;
import ai.djl.training.tracker.Tracker;
import io.basin.average.Averager;
import io.basin.average.AveragerBuilder;
import io.basin.average.PopulationStatistics;
import io.basin.io.Dtype;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;

/** A net that DJL trains; we average its weights where they lie and measure its batch norm, and DJL evaluates it. */
public final class DjlLoop {
    private static final int N = 512;
    private static final int HIDDEN = 32;

    public static void main(String[] args) {
        try (Model model = Model.newInstance("circle", "PyTorch")) {
            model.getNDManager().getEngine().setRandomSeed(1);
            Block norm = BatchNorm.builder().build();
            SequentialBlock net = new SequentialBlock()
                    .add(Linear.builder().setUnits(HIDDEN).build())
                    .add(norm)
                    .add(Activation.reluBlock())
                    .add(Linear.builder().setUnits(2).build());
            net.setInitializer(new UniformInitializer(0.5f), Parameter.Type.WEIGHT);
            model.setBlock(net);
            Optimizer sgd =
                    Optimizer.sgd().setLearningRateTracker(Tracker.fixed(0.3f)).build();
            Loss loss = Loss.softmaxCrossEntropyLoss();
            try (Trainer trainer = model.newTrainer(new DefaultTrainingConfig(loss).optOptimizer(sgd))) {
                train(trainer, net, norm, loss);
            }
        }
    }

    private static void train(Trainer trainer, SequentialBlock net, Block norm, Loss loss) {
        NDManager manager = trainer.getManager();
        Random random = new Random(1);
        float[] points = new float[2 * N];
        float[] classes = new float[N]; // outside or inside a circle
        for (int i = 0; i < 2 * N; i++) points[i] = 2 * random.nextFloat() - 1;
        for (int i = 0; i < N; i++) classes[i] = Math.hypot(points[2 * i], points[2 * i + 1]) < 0.8 ? 1 : 0;
        NDList x = new NDList(manager.create(points, new Shape(N, 2)));
        NDList y = new NDList(manager.create(classes));
        trainer.initialize(new Shape(N, 2));
        Map<String, NDArray> weights = new TreeMap<>();
        net.getParameters().forEach(p -> {
            if (p.getValue().requiresGradient())
                weights.put(p.getKey(), p.getValue().getArray());
        });
        AveragerBuilder arrays = Averager.host();
        weights.forEach((name, w) -> arrays.add(name, w.toByteBuffer(true).order(ByteOrder.nativeOrder()), Dtype.F32));
        Map<String, double[]> sums = new TreeMap<>();
        try (Averager swa = arrays.tail(200)) {
            for (int t = 0; t < 300; t++) {
                try (GradientCollector gradients = trainer.newGradientCollector()) {
                    gradients.backward(loss.evaluate(y, trainer.forward(x)));
                }
                trainer.step();
                swa.step();
                if (t >= 200) weights.forEach((name, w) -> add(sums, name, w.toFloatArray()));
            }
            swa.swap();
            weights.forEach(
                    (name, w) -> System.out.println(name + " off by " + off(sums.get(name), 100, w.toFloatArray())));
            evaluate(trainer, net, norm, x, classes);
        }
    }

    private static void evaluate(Trainer trainer, SequentialBlock net, Block norm, NDList x, float[] classes) {
        ParameterStore store = new ParameterStore(trainer.getManager(), false);
        float[] oneBatch =
                net.forward(store, x, true).singletonOrThrow().toFloatArray(); // takes the batch's own statistics
        Block first = net.getChildren().get(0).getValue();
        measure(norm, first.forward(store, x, false).singletonOrThrow().toFloatArray());
        float[] logits = trainer.evaluate(x).singletonOrThrow().toFloatArray();
        int right = 0;
        for (int i = 0; i < N; i++) right += logits[2 * i + 1] > logits[2 * i] == (classes[i] == 1) ? 1 : 0;
        double[] expected = new double[2 * N];
        for (int i = 0; i < 2 * N; i++) expected[i] = oneBatch[i];
        System.out.println("logits off by " + off(expected, 1, logits));
        System.out.println("accuracy " + (double) right / N);
    }

    /** Batch norm takes its statistics from our pass over the data, here in two batches. */
    private static void measure(Block norm, float[] inputs) {
        PopulationStatistics statistics = new PopulationStatistics();
        statistics.add("bn", Arrays.copyOf(inputs, 100 * HIDDEN), 100, HIDDEN);
        statistics.add("bn", Arrays.copyOfRange(inputs, 100 * HIDDEN, N * HIDDEN), N - 100, HIDDEN);
        for (Parameter p : norm.getParameters().values()) {
            if (p.getName().equals("runningMean")) p.getArray().set(statistics.mean("bn"));
            if (p.getName().equals("runningVar")) p.getArray().set(statistics.variance("bn"));
        }
    }

    private static void add(Map<String, double[]> sums, String name, float[] values) {
        double[] sum = sums.computeIfAbsent(name, k -> new double[values.length]);
        for (int i = 0; i < sum.length; i++) sum[i] += values[i];
    }

    private static double off(double[] sums, int count, float[] values) {
        double most = 0;
        for (int i = 0; i < values.length; i++) most = Math.max(most, Math.abs(sums[i] / count - values[i]));
        return most;
    }
}
