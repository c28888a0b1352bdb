package io.basin.bench;

import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/**
 * What memory gives: {@code a[i] = b[i] + s c[i]} over float arrays as long as {@link BasinStep}'s, on all threads. It moves 16
 * bytes an element, for a processor reads what it is about to overwrite.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class Triad {
    private final float[] a = new float[TorchStep.PARAMETERS];
    private final float[] b = new float[TorchStep.PARAMETERS];
    private final float[] c = new float[TorchStep.PARAMETERS];
    private java.util.concurrent.ExecutorService pool;
    private int threads;

    @Setup
    public void prepare() {
        threads = Nets.threads();
        pool = java.util.concurrent.Executors.newFixedThreadPool(threads);
        java.util.Arrays.fill(b, 1f);
        java.util.Arrays.fill(c, 2f);
    }

    @Benchmark
    public void triad() throws Exception {
        java.util.List<java.util.concurrent.Future<?>> parts = new java.util.ArrayList<>();
        for (int t = 0; t < threads; t++) {
            int from = (int) ((long) a.length * t / threads);
            int to = (int) ((long) a.length * (t + 1) / threads);
            parts.add(pool.submit(() -> part(a, b, c, from, to)));
        }
        for (var part : parts) part.get();
    }

    private static void part(float[] a, float[] b, float[] c, int from, int to) {
        for (int i = from; i < to; i++) a[i] = b[i] + 3f * c[i];
    }

    @TearDown
    public void close() {
        pool.shutdown();
    }
}
