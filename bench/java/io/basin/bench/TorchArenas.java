package io.basin.bench;

import static io.basin.bench.BasinArenas.LR;
import static io.basin.bench.BasinArenas.MIDDLE;
import static io.basin.bench.BasinArenas.MOMENTUM;

import io.basin.torch.TorchSgd;
import io.basin.torch.TorchTrain;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
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
 * {@link BasinArenas}' passes by the operations in place that libtorch has for them, fewest first: three for a sum of three; a
 * product, as autograd makes it, and the fused update for a control point; lerp, product and addcmul for SWAG.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class TorchArenas {
    @Param("combine")
    public String pass;

    private Runnable work;

    @Setup
    public void prepare() {
        TorchTrain.configure(Nets.threads());
        torch.manual_seed(1);
        work = switch (pass) {
            case "combine" -> combine();
            case "bend" -> bend();
            case "moments" -> moments();
            default -> throw new IllegalArgumentException("no pass " + pass);
        };
    }

    private static Runnable combine() {
        Tensor[] points = {weights(), weights(), weights()};
        Tensor to = weights();
        return () -> {
            torch.mul_out(to, points[0], new Scalar(MIDDLE[0]));
            for (int j = 1; j < points.length; j++) torch.add_out(to, to, points[j], new Scalar(MIDDLE[j]));
        };
    }

    private static Runnable bend() {
        Tensor gradient = weights();
        Tensor scaled = weights();
        TorchSgd.Settings settings = new TorchSgd.Settings(LR, MOMENTUM, 0, false);
        TorchSgd sgd = new TorchSgd(List.of(weights()), settings, TorchSgd.Route.FUSED, Tensor::contiguous);
        TensorVector gradients = new TensorVector(scaled);
        return () -> {
            torch.mul_out(scaled, gradient, new Scalar(MIDDLE[1]));
            sgd.apply(gradients);
        };
    }

    private static Runnable moments() {
        List<Tensor> all = tensors();
        List<Tensor> means = tensors();
        List<Tensor> squares = tensors();
        Scalar keep = new Scalar(0.99);
        Scalar take = new Scalar(0.01);
        return () -> {
            for (int k = 0; k < all.size(); k++) {
                Tensor w = all.get(k);
                means.get(k).lerp_(w, take);
                squares.get(k).mul_(keep).addcmul_(w, w, take);
            }
        };
    }

    private static Tensor weights() {
        return torch.randn(TorchStep.PARAMETERS);
    }

    private static List<Tensor> tensors() {
        return IntStream.range(0, TorchAverage.TENSORS)
                .mapToObj(k -> torch.randn(TorchAverage.SIZE))
                .toList();
    }

    @Benchmark
    @SuppressWarnings("try") // a scope is closed, not called
    public void run() {
        try (PointerScope scope = new PointerScope()) {
            work.run();
        }
    }
}
