package io.basin.bench;

import io.basin.torch.TorchSgd;
import io.basin.torch.TorchTrain;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.Scalar;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.TensorVector;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * The update alone: SGD with momentum and weight decay on as many weights as ResNet-50 has, in one flat tensor, and a
 * running average of them. Memory traffic and nothing else, so it shows how many passes each side makes.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class TorchStep {
    static final int PARAMETERS = 25_600_000;

    @Param("FUSED")
    public TorchSgd.Route route;

    private Tensor weights;
    private Tensor average;
    private TensorVector gradients;
    private TorchSgd sgd;

    @Setup
    public void prepare() {
        TorchTrain.configure(Nets.threads());
        torch.manual_seed(1);
        weights = torch.randn(PARAMETERS);
        average = weights.clone();
        gradients = new TensorVector(torch.randn(PARAMETERS));
        TorchSgd.Settings settings = new TorchSgd.Settings(1e-3, 0.9, 5e-4, false);
        sgd = new TorchSgd(List.of(weights), settings, route, Tensor::contiguous);
    }

    @Benchmark
    @SuppressWarnings("try") // a scope is closed, not called
    public void step() {
        try (PointerScope scope = new PointerScope()) {
            sgd.apply(gradients);
            average.lerp_(weights, new Scalar(0.01));
        }
    }
}
