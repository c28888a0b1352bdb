package io.basin.bench;

import io.basin.torch.TorchNet;
import io.basin.torch.TorchNets;
import io.basin.torch.TorchSgd;
import io.basin.torch.TorchTrain;
import java.util.concurrent.TimeUnit;
import org.bytedeco.pytorch.Tensor;
import org.bytedeco.pytorch.global.torch;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Training images per second of libtorch: forward, backward and SGD with momentum and weight decay, on batches that are
 * already tensors in the layout the net wants. The learning rate is small, so that random labels cannot make it diverge
 * into denormals or infinities, whose arithmetic has another speed.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class TorchTraining {
    static final int BATCH = 128;
    static final int BATCHES = 8;
    static final int CLASSES = 10;

    @Param({"mlp", "smallcnn", "preresnet20", "vgg16-bn"})
    public String net;

    @Param("false")
    public boolean channelsLast;

    @Param("false")
    public boolean autocast;

    @Param("FUSED")
    public TorchSgd.Route route;

    private final Tensor[] images = new Tensor[BATCHES];
    private final Tensor[] labels = new Tensor[BATCHES];
    private TorchTrain trainer;
    private int next;

    @Setup
    public void prepare() {
        TorchTrain.configure(Nets.threads());
        torch.manual_seed(1);
        int channels = Nets.channels(net);
        int size = Nets.size(net);
        TorchNet model = TorchNets.build(net, channels, size, CLASSES, channelsLast);
        System.out.println(net + ": " + model.parameterCount() + " parameters");
        trainer = new TorchTrain(model, new TorchSgd.Settings(0.01, 0.9, 5e-4, false), route);
        if (autocast) trainer.autocast();
        for (int i = 0; i < BATCHES; i++) {
            images[i] = model.layout(torch.randn(BATCH, channels, size, size));
            labels[i] = torch.randint(CLASSES, new long[] {BATCH});
        }
    }

    @Benchmark
    @OperationsPerInvocation(BATCH)
    public double step() {
        next = (next + 1) % BATCHES;
        return trainer.step(images[next], labels[next]);
    }
}
