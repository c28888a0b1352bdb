package io.basin.bench;

import io.basin.torch.TorchNet;
import io.basin.torch.TorchNets;
import io.basin.torch.TorchSgd;
import io.basin.torch.TorchTrain;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.bytedeco.javacpp.PointerScope;
import org.bytedeco.pytorch.AutoGradMode;
import org.bytedeco.pytorch.Scalar;
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
 * Samples per second through the cells of a loss surface, 10,000 a cell, as the published scripts do it in libtorch: copy w0 + x u + y v into the small CNN, run
 * all samples in training mode for batch norm's statistics, run them again in evaluation mode for loss and error; no gradients,
 * batches that are already tensors.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class TorchPlane {
    static final int SAMPLES = 10_000;
    static final int BATCH = 128;
    static final int GRID = 21;

    @Param("false")
    public boolean channelsLast;

    /** Chosen by the tuner for training; a surface makes no update. */
    @Param("FUSED")
    public TorchSgd.Route route;

    private final List<Tensor> weights = new ArrayList<>();
    private final List<Tensor> origin = new ArrayList<>();
    private final List<Tensor> u = new ArrayList<>();
    private final List<Tensor> v = new ArrayList<>();
    private final List<Tensor> images = new ArrayList<>();
    private final List<Tensor> labels = new ArrayList<>();
    private TorchNet net;
    private int cell;

    @Setup
    @SuppressWarnings("try") // a mode is closed, not called
    public void prepare() {
        TorchTrain.configure(Nets.threads());
        torch.manual_seed(1);
        net = TorchNets.build("smallcnn", 1, 28, TorchTraining.CLASSES, channelsLast);
        try (AutoGradMode none = new AutoGradMode(false)) {
            for (Tensor w : net.parameters().values()) {
                weights.add(w);
                origin.add(w.clone());
                u.add(torch.randn_like(w).mul_(new Scalar(0.01)));
                v.add(torch.randn_like(w).mul_(new Scalar(0.01)));
            }
            for (int first = 0; first < SAMPLES; first += BATCH) {
                int rows = Math.min(BATCH, SAMPLES - first);
                images.add(net.layout(torch.randn(rows, 1, 28, 28)));
                labels.add(torch.randint(TorchTraining.CLASSES, new long[] {rows}));
            }
        }
    }

    /** Mean loss of the next cell; its error is computed too. */
    @Benchmark
    @OperationsPerInvocation(TorchPlane.SAMPLES)
    @SuppressWarnings("try") // scopes are closed, not called
    public double cell() {
        double x = -0.2 + 1.4 * (cell % GRID) / (GRID - 1);
        double y = -0.2 + 1.4 * (cell / GRID % GRID) / (GRID - 1);
        cell++;
        try (PointerScope all = new PointerScope();
                AutoGradMode none = new AutoGradMode(false)) {
            for (int i = 0; i < weights.size(); i++) {
                Tensor w = weights.get(i);
                w.copy_(origin.get(i));
                w.add_(u.get(i), new Scalar(x));
                w.add_(v.get(i), new Scalar(y));
            }
            net.training(true);
            for (Tensor batch : images) {
                try (PointerScope scope = new PointerScope()) {
                    net.forward(batch);
                }
            }
            net.training(false);
            double loss = 0;
            long hits = 0;
            for (int b = 0; b < images.size(); b++) {
                try (PointerScope scope = new PointerScope()) {
                    Tensor logits = net.forward(images.get(b));
                    loss += torch.cross_entropy_loss(logits, labels.get(b)).item_double()
                            * labels.get(b).numel();
                    hits += torch.eq(
                                    torch.argmax(logits, new org.bytedeco.pytorch.LongOptional(1), false),
                                    labels.get(b))
                            .sum()
                            .item_long();
                }
            }
            return loss / SAMPLES + 1e-12 * hits;
        }
    }
}
