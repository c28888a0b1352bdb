package io.basin.bench;

import io.basin.average.Averager;
import io.basin.average.AveragerBuilder;
import io.basin.io.Dtype;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A running average of {@link TorchAverage#TENSORS} arrays of somebody else's: 12 bytes a parameter. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class BasinAverage {
    private Averager averager;

    @Setup
    public void prepare() {
        AveragerBuilder arrays = Averager.host();
        for (int k = 0; k < TorchAverage.TENSORS; k++) {
            arrays.add("w" + k, HugePages.filled(TorchAverage.SIZE, k), TorchAverage.SIZE, Dtype.F32);
        }
        averager = arrays.ema(0.99, false);
        averager.step();
    }

    @Benchmark
    public void average() {
        averager.average(0.01);
    }

    @TearDown
    public void close() {
        averager.close();
    }
}
