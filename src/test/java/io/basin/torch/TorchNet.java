package io.basin.torch;

import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorOptional;
import org.bytedeco.pytorch.global.torch;
import org.bytedeco.pytorch.global.torch.MemoryFormat;

/**
 * A net as leaf tensors and one function, without libtorch's module classes: the modules would add a virtual call and a
 * holder per layer, and their names could not be chosen freely. Names are those of PyTorch's {@code state_dict}.
 *
 * <p>The operands of every layer are wrapped once, here, so that a step makes no Java object but its activations.
 */
public final class TorchNet {
    static final double BN_MOMENTUM = 0.1;
    static final double BN_EPS = 1e-5;

    private final Map<String, Tensor> parameters = new LinkedHashMap<>();
    private final Map<String, Tensor> buffers = new LinkedHashMap<>();
    private final boolean channelsLast;
    private UnaryOperator<Tensor> body = x -> x;
    private boolean training = true;

    TorchNet(boolean channelsLast) {
        this.channelsLast = channelsLast;
    }

    TorchNet body(UnaryOperator<Tensor> function) {
        body = function;
        return this;
    }

    /** Logits of a batch; in training mode batch statistics are used and the running ones updated. */
    public Tensor forward(Tensor images) {
        return body.apply(images);
    }

    public TorchNet training(boolean on) {
        training = on;
        return this;
    }

    public Map<String, Tensor> parameters() {
        return Collections.unmodifiableMap(parameters);
    }

    /** Running means and variances of the batch norms. */
    public Map<String, Tensor> buffers() {
        return Collections.unmodifiableMap(buffers);
    }

    public long parameterCount() {
        return parameters.values().stream().mapToLong(Tensor::numel).sum();
    }

    /** Images as this net wants them: the copy into channels-last order belongs to loading, not to the step. */
    public Tensor layout(Tensor images) {
        return images.dim() == 4 && channelsLast ? images.contiguous(MemoryFormat.ChannelsLast) : images.contiguous();
    }

    UnaryOperator<Tensor> conv(String name, long in, long out, long kernel, long stride, boolean bias) {
        long[] same = {kernel / 2, kernel / 2};
        return conv(name, in, out, new long[] {kernel, kernel}, new long[] {stride, stride}, same, 1, bias);
    }

    UnaryOperator<Tensor> conv(
            String name, long in, long out, long[] kernel, long[] strides, long[] padding, long spread, boolean bias) {
        double deviation = Math.sqrt(2.0 / (kernel[0] * kernel[1] * out));
        Tensor weight = parameter(name + ".weight", torch.randn(out, in, kernel[0], kernel[1]), deviation);
        TensorOptional shift =
                bias ? new TensorOptional(parameter(name + ".bias", torch.zeros(out), 1)) : new TensorOptional();
        long[] dilation = {spread, spread};
        return x -> torch.conv2d(x, weight, shift, strides, padding, dilation, 1);
    }

    UnaryOperator<Tensor> norm(String name, long channels) {
        TensorOptional gamma = new TensorOptional(parameter(name + ".weight", torch.ones(channels), 1));
        TensorOptional beta = new TensorOptional(parameter(name + ".bias", torch.zeros(channels), 1));
        TensorOptional mean = new TensorOptional(buffer(name + ".running_mean", torch.zeros(channels)));
        TensorOptional variance = new TensorOptional(buffer(name + ".running_var", torch.ones(channels)));
        return x -> torch.batch_norm(x, gamma, beta, mean, variance, training, BN_MOMENTUM, BN_EPS, false);
    }

    UnaryOperator<Tensor> groupNorm(String name, long groups, long channels) {
        TensorOptional gamma = new TensorOptional(parameter(name + ".weight", torch.ones(channels), 1));
        TensorOptional beta = new TensorOptional(parameter(name + ".bias", torch.zeros(channels), 1));
        return x -> torch.group_norm(x, groups, gamma, beta, BN_EPS, false);
    }

    /** Uniform start within 1/sqrt(in), PyTorch's default of a linear layer. */
    UnaryOperator<Tensor> linear(String name, long in, long out) {
        double bound = 1 / Math.sqrt(in);
        Tensor weight = parameter(name + ".weight", uniform(out, in), bound);
        TensorOptional bias = new TensorOptional(parameter(name + ".bias", uniform(out), bound));
        return x -> torch.linear(x, weight, bias);
    }

    UnaryOperator<Tensor> dropout(double p) {
        return p == 0 ? x -> x : x -> torch.dropout(x, p, training);
    }

    static UnaryOperator<Tensor> relu() {
        return torch::relu_;
    }

    static UnaryOperator<Tensor> maxPool(long window) {
        return x -> torch.max_pool2d(x, window, window);
    }

    static UnaryOperator<Tensor> averagePool(long window) {
        return x -> torch.avg_pool2d(x, window, window);
    }

    static UnaryOperator<Tensor> flatten() {
        return x -> x.flatten(1, -1);
    }

    static UnaryOperator<Tensor> chain(List<UnaryOperator<Tensor>> layers) {
        return x -> {
            Tensor y = x;
            for (UnaryOperator<Tensor> layer : layers) {
                y = layer.apply(y);
            }
            return y;
        };
    }

    private static Tensor uniform(long... shape) {
        return torch.rand(shape).mul_(new Scalar(2.0)).sub_(new Scalar(1.0));
    }

    private Tensor parameter(String name, Tensor start, double scale) {
        Tensor scaled = layout(start.mul_(new Scalar(scale)));
        scaled.set_requires_grad(true);
        parameters.put(name, scaled);
        return scaled;
    }

    private Tensor buffer(String name, Tensor start) {
        buffers.put(name, start);
        return start;
    }
}
