package io.basin.bench;

import io.basin.cuda.KernelLaunches;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OperationsPerInvocation;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/** Launches a second of one of our own kernels on a GPU, one after the other; {@link GpuMain} names the kernels. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class BasinKernel {
    /** Enqueued together, so that the wait at their end counts little. */
    static final int LAUNCHES = 64;

    @Param("step")
    public String kernel;

    @Param("false")
    public boolean tiny;

    /** All kernels are planned once, and given up with the process. */
    private static KernelLaunches launches;

    @Setup
    public void prepare() {
        if (launches == null)
            launches = new KernelLaunches(tiny ? KernelLaunches.Size.TINY : KernelLaunches.Size.USUAL);
    }

    @Benchmark
    @OperationsPerInvocation(LAUNCHES)
    public void launch() {
        launches.run(kernel, LAUNCHES);
    }
}
