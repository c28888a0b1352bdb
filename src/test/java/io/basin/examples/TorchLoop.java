package io.basin.examples;

import io.basin.average.Averager;
import io.basin.average.AveragerBuilder;
import io.basin.average.PopulationStatistics;
import io.basin.io.Dtype;
import io.basin.torch.TorchTrain;
import java.lang.ref.Reference;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.bytedeco.pytorch.BatchNorm1dImpl;
import org.bytedeco.pytorch.BatchNormOptions;
import org.bytedeco.pytorch.LinearImpl;
import org.bytedeco.pytorch.SGD;
import org.bytedeco.pytorch.SGDOptions;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;

/** A net that libtorch trains; we average its weights where they lie and measure its batch norm, and libtorch evaluates it. */
public final class TorchLoop {
    private static final int N = 512;
    private static final int HIDDEN = 32;

    static {
        torch.manual_seed(1); // before the layers draw their first weights
    }

    private static final LinearImpl FC1 = new LinearImpl(2, HIDDEN);
    private static final BatchNorm1dImpl BN = new BatchNorm1dImpl(new BatchNormOptions(HIDDEN));
    private static final LinearImpl FC2 = new LinearImpl(HIDDEN, 2);

    private static Tensor forward(Tensor x) {
        return FC2.forward(torch.relu(BN.forward(FC1.forward(x))));
    }

    private static float[] values(Tensor t) {
        float[] out = new float[(int) t.numel()];
        Tensor dense = t.contiguous();
        dense.data_ptr_float().get(out);
        Reference.reachabilityFence(dense); // libtorch frees it with the last handle
        return out;
    }

    private static Map<String, Tensor> weights() {
        Map<String, Tensor> all = new TreeMap<>(Map.of("fc1.weight", FC1.weight(), "fc1.bias", FC1.bias()));
        all.putAll(Map.of("bn.weight", BN.weight(), "bn.bias", BN.bias()));
        all.putAll(Map.of("fc2.weight", FC2.weight(), "fc2.bias", FC2.bias()));
        return all;
    }

    public static void main(String[] args) {
        Random random = new Random(1);
        float[] points = new float[2 * N];
        long[] classes = new long[N]; // outside or inside a circle
        for (int i = 0; i < 2 * N; i++) points[i] = 2 * random.nextFloat() - 1;
        for (int i = 0; i < N; i++) classes[i] = Math.hypot(points[2 * i], points[2 * i + 1]) < 0.8 ? 1 : 0;
        Tensor x = TorchTrain.tensor(points, N, 2);
        Tensor y = TorchTrain.tensor(classes);
        Map<String, Tensor> weights = weights();
        SGD sgd = new SGD(new TensorVector(weights.values().toArray(Tensor[]::new)), new SGDOptions(0.5));
        AveragerBuilder arrays = Averager.host();
        weights.forEach((name, w) -> arrays.add(name, w.data_ptr_float(), w.numel(), Dtype.F32));
        Map<String, double[]> sums = new TreeMap<>();
        try (Averager swa = arrays.tail(200)) {
            for (int t = 0; t < 300; t++) {
                sgd.zero_grad();
                torch.cross_entropy_loss(forward(x), y).backward();
                sgd.step();
                swa.step();
                if (t >= 200) weights.forEach((name, w) -> add(sums, name, values(w)));
            }
            swa.swap();
            weights.forEach((name, w) -> System.out.println(name + " off by " + off(sums.get(name), 100, values(w))));
            float[] oneBatch = values(forward(x)); // batch norm still takes the batch's own statistics
            measure(values(FC1.forward(x)));
            BN.eval();
            float[] logits = values(forward(x));
            int right = 0;
            for (int i = 0; i < N; i++) right += logits[2 * i + 1] > logits[2 * i] == (classes[i] == 1) ? 1 : 0;
            double[] expected = new double[2 * N];
            for (int i = 0; i < 2 * N; i++) expected[i] = oneBatch[i];
            System.out.println("logits off by " + off(expected, 1, logits));
            System.out.println("accuracy " + (double) right / N);
        }
    }

    /** Batch norm takes its statistics from our pass over the data, here in two batches. */
    private static void measure(float[] inputs) {
        PopulationStatistics statistics = new PopulationStatistics();
        statistics.add("bn", Arrays.copyOf(inputs, 100 * HIDDEN), 100, HIDDEN);
        statistics.add("bn", Arrays.copyOfRange(inputs, 100 * HIDDEN, N * HIDDEN), N - 100, HIDDEN);
        BN.running_mean().data_ptr_float().put(statistics.mean("bn"));
        BN.running_var().data_ptr_float().put(statistics.variance("bn"));
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
