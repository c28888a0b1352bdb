package io.basin.examples;

import io.basin.average.Averager;
import io.basin.average.PopulationStatistics;
import io.basin.io.Dtype;
import io.basin.torch.TorchTrain;
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

    private static final LinearImpl FC1 = new LinearImpl(2, HIDDEN);
    private static final BatchNorm1dImpl BN = new BatchNorm1dImpl(new BatchNormOptions(HIDDEN));
    private static final LinearImpl FC2 = new LinearImpl(HIDDEN, 2);

    private static Tensor forward(Tensor x) {
        return FC2.forward(torch.relu(BN.forward(FC1.forward(x))));
    }

    private static float[] values(Tensor t) {
        float[] out = new float[(int) t.numel()];
        t.contiguous().data_ptr_float().get(out);
        return out;
    }

    public static void main(String[] args) {
        torch.manual_seed(1);
        Map<String, Tensor> weights = new TreeMap<>(Map.of("fc1.weight", FC1.weight(), "fc1.bias", FC1.bias()));
        weights.putAll(Map.of("bn.weight", BN.weight(), "bn.bias", BN.bias()));
        weights.putAll(Map.of("fc2.weight", FC2.weight(), "fc2.bias", FC2.bias()));
        Random random = new Random(1);
        float[] points = new float[2 * N];
        long[] classes = new long[N]; // inside or outside a circle
        for (int i = 0; i < N; i++) {
            for (int j = 0; j < 2; j++) points[2 * i + j] = 2 * random.nextFloat() - 1;
            classes[i] = Math.hypot(points[2 * i], points[2 * i + 1]) < 0.8 ? 1 : 0;
        }
        Tensor x = TorchTrain.tensor(points, N, 2);
        Tensor y = TorchTrain.tensor(classes);
        SGD sgd = new SGD(new TensorVector(weights.values().toArray(Tensor[]::new)), new SGDOptions(0.1));
        var arrays = Averager.host();
        weights.forEach((name, w) -> arrays.add(name, w.data_ptr_float(), w.numel(), Dtype.F32));
        Map<String, double[]> sums = new TreeMap<>(); // the peer of this example's test
        int collected = 0;
        try (Averager swa = arrays.swa()) {
            for (int t = 0; t < 300; t++) {
                sgd.zero_grad();
                Tensor loss = torch.cross_entropy_loss(forward(x), y);
                loss.backward();
                sgd.step();
                if (t < 100) continue;
                swa.step();
                collected++;
                weights.forEach((name, w) -> sum(sums.computeIfAbsent(name, k -> new double[(int) w.numel()]), values(w)));
            }
            swa.swap();
            double off = 0;
            for (String name : weights.keySet()) {
                float[] average = values(weights.get(name));
                for (int i = 0; i < average.length; i++) {
                    off = Math.max(off, Math.abs(average[i] - sums.get(name)[i] / collected));
                }
            }
            System.out.println("average off by " + off);
            float[] oneBatch = values(forward(x)); // batch norm still takes the batch's own statistics
            PopulationStatistics statistics = new PopulationStatistics();
            float[] inputs = values(FC1.forward(x));
            statistics.add("bn", Arrays.copyOf(inputs, 100 * HIDDEN), 100, HIDDEN);
            statistics.add("bn", Arrays.copyOfRange(inputs, 100 * HIDDEN, N * HIDDEN), N - 100, HIDDEN);
            BN.running_mean().data_ptr_float().put(statistics.mean("bn"));
            BN.running_var().data_ptr_float().put(statistics.variance("bn"));
            BN.eval();
            float[] logits = values(forward(x));
            int right = 0;
            for (int i = 0; i < N; i++) {
                right += logits[2 * i + 1] > logits[2 * i] == (classes[i] == 1) ? 1 : 0;
                off = Math.max(off, Math.abs(logits[2 * i] - oneBatch[2 * i]));
            }
            System.out.println("logits off by " + off);
            System.out.println("accuracy " + (double) right / N);
        }
    }

    private static void sum(double[] sums, float[] values) {
        for (int i = 0; i < sums.length; i++) sums[i] += values[i];
    }
}
