package io.basin.torch;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.bytedeco.javacpp.FloatPointer;
import org.bytedeco.javacpp.LongPointer;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Context;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptions;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.DeviceType;
import org.bytedeco.pytorch.global.torch.ScalarType;

/**
 * One libtorch training step, written as lean as the Java API allows: every step frees its activations through a
 * {@link PointerScope} instead of leaving them to the garbage collector, which would hold gigabytes of native memory.
 */
@SuppressWarnings("try") // a scope is closed, not called
public final class TorchTrain {
    private final TorchNet net;
    private final TorchSgd sgd;
    private final Map<String, Tensor> average = new LinkedHashMap<>();
    private boolean bfloat16;

    public TorchTrain(TorchNet net, TorchSgd.Settings settings, TorchSgd.Route route) {
        this.net = net;
        List<Tensor> weights = List.copyOf(net.parameters().values());
        sgd = new TorchSgd(weights, settings, route, net::layout);
    }

    /** Has the forward pass choose bfloat16 where PyTorch's own list of operators says so; weights and their gradients stay float32. */
    public TorchTrain autocast() {
        torch.set_autocast_dtype(DeviceType.CPU, ScalarType.BFloat16);
        // Each weight is used once a step: kept copies would have to be made anew all the same.
        torch.set_autocast_cache_enabled(false);
        bfloat16 = true;
        return this;
    }

    /** Threads and flush-to-zero, which libtorch keeps per process: call it once, before the first operator. */
    public static void configure(int threads) {
        torch.set_num_threads(threads);
        Context.setFlushDenormal(true);
    }

    /** A step on a batch held in Java arrays; the copies into tensors are part of it. */
    public double step(float[] images, long[] labels, long... imageShape) {
        try (PointerScope scope = new PointerScope()) {
            return step(net.layout(tensor(images, imageShape)), tensor(labels));
        }
    }

    /** A step on tensors that already are in the net's {@link TorchNet#layout}; returns the mean cross-entropy before it. */
    public double step(Tensor images, Tensor labels) {
        try (PointerScope scope = new PointerScope()) {
            if (bfloat16) torch.set_autocast_enabled(DeviceType.CPU, true);
            Tensor loss = torch.cross_entropy_loss(net.forward(images), labels);
            if (bfloat16) torch.set_autocast_enabled(DeviceType.CPU, false);
            sgd.minimise(loss);
            return loss.item_double();
        }
    }

    /**
     * Moves the average by {@code weight} of the way to the weights: 1 - decay gives EMA, 1/(n+1) gives SWA. The first call
     * starts it as a copy.
     */
    public void average(double weight) {
        try (AutoGradMode constants = new AutoGradMode(false)) {
            if (average.isEmpty()) {
                net.parameters().forEach((name, w) -> average.put(name, w.clone()));
            } else {
                moveAverage(weight);
            }
        }
    }

    private void moveAverage(double weight) {
        try (PointerScope scope = new PointerScope()) {
            Scalar share = new Scalar(weight);
            net.parameters().forEach((name, w) -> average.get(name).lerp_(w, share));
        }
    }

    /** The average by parameter name; empty before the first {@link #average}. */
    public Map<String, Tensor> averages() {
        return average;
    }

    /** Copies: the array may be collected while the tensor lives. */
    public static Tensor tensor(float[] values, long... shape) {
        return torch.from_blob(new FloatPointer(values), shape, new TensorOptions(ScalarType.Float))
                .clone();
    }

    public static Tensor tensor(long[] values) {
        return torch.from_blob(new LongPointer(values), new long[] {values.length}, new TensorOptions(ScalarType.Long))
                .clone();
    }
}
