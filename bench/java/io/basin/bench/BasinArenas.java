package io.basin.bench;

import io.basin.average.Averager;
import io.basin.average.AveragerBuilder;
import io.basin.device.Arena;
import io.basin.device.Coefficients;
import io.basin.device.Memory;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.io.Dtype;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The passes over all weights that are no step of a net: what {@link TorchArenas} does in libtorch's operations. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class BasinArenas {
    /** How much of each control point a curve has in its middle. */
    static final double[] MIDDLE = {0.25, 0.5, 0.25};

    static final double LR = 1e-3;
    static final double MOMENTUM = 0.9;

    /**
     * {@code combine}: a net on a curve of three control points; {@code bend}: the update of one of them; {@code moments}: SWAG's mean
     * and variance of 160 arrays.
     */
    @Param("combine")
    public String pass;

    private FlatNet net;
    private RunState control;
    private Averager averager;
    private Runnable work;

    @Setup
    public void prepare() {
        work = switch (pass) {
            case "combine" -> combine();
            case "bend" -> bend();
            case "moments" -> moments();
            default -> throw new IllegalArgumentException("no pass " + pass);
        };
    }

    private Runnable combine() {
        net = new FlatNet();
        Coefficients c = new Coefficients(net.device, null, MIDDLE);
        List<Memory> points = List.of(net.array(1), net.array(2), net.array(3));
        return net.device.arenas().weightedSum(points, c, net.storage.memory(Arena.PARAMS));
    }

    private Runnable bend() {
        net = new FlatNet();
        double[] lr = {LR};
        double[] alpha = {0};
        control = new RunState(net.device, lr, alpha);
        Coefficients c = new Coefficients(net.device, control, MIDDLE);
        Sgd sgd = new Sgd(MOMENTUM, 0, false);
        return net.device.arenas().stepCurvePoint(sgd, net.storage, net.array(1), net.array(2), c, 1, control);
    }

    private Runnable moments() {
        AveragerBuilder arrays = Averager.host();
        for (int k = 0; k < TorchAverage.TENSORS; k++) {
            arrays.add("w" + k, HugePages.filled(TorchAverage.SIZE, k), TorchAverage.SIZE, Dtype.F32);
        }
        averager = arrays.swag(0);
        averager.step();
        return () -> averager.average(0.01);
    }

    @Benchmark
    public void run() {
        work.run();
    }

    @TearDown
    public void close() {
        if (averager != null) averager.close();
        if (control != null) control.close();
        if (net != null) net.close();
    }
}
