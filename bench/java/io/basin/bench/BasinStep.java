package io.basin.bench;

import io.basin.device.RunState;
import io.basin.device.Sgd;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** The fused update of as many parameters as {@link TorchStep} has, averaging at every step: 28 bytes a parameter. */
@State(Scope.Benchmark)
@BenchmarkMode(org.openjdk.jmh.annotations.Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class BasinStep {
    @Param("cpu")
    public String on;

    @Param("" + TorchStep.PARAMETERS)
    public int parameters;

    private FlatNet net;
    private RunState control;
    private Runnable step;
    private Pace pace;

    @Setup
    public void prepare() {
        net = new FlatNet(on, parameters);
        double[] lr = {1e-3};
        double[] alpha = {0.01};
        control = new RunState(net.device, lr, alpha);
        step = net.device.arenas().step(new Sgd(0.9, 5e-4, false), net.storage, control);
        pace = new Pace(net.device, control);
    }

    @Benchmark
    public void step() {
        step.run();
        pace.keep();
    }

    @TearDown
    public void close() {
        control.close();
        net.close();
    }
}
