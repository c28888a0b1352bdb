package io.basin.bench;

import com.sun.jna.Native;
import com.sun.jna.NativeLibrary;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
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
 * What memory gives: {@code a[i] = b[i] + s c[i]} in C ({@code bench/triad.c}), over arrays as long as {@link BasinStep}'s and laid
 * out as they are, on all threads. It moves 16 bytes an element, for a processor reads what it is about to overwrite.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
public class Triad {
    private static final long BYTES = 4L * TorchStep.PARAMETERS;

    private final long[] arrays = new long[3];
    private ExecutorService pool;
    private int threads;

    private static native void triad(long a, long b, long c, float s, long n);

    @Setup
    public void prepare() throws Exception {
        Path library = Files.createTempFile("triad", ".so");
        int code = new ProcessBuilder("cc", "-O3", "-shared", "-fPIC", "-o", library.toString(), "bench/triad.c")
                .inheritIO()
                .start()
                .waitFor();
        if (code != 0) throw new IllegalStateException("cc ended with " + code);
        Native.register(Triad.class, NativeLibrary.getInstance(library.toString()));
        for (int k = 0; k < arrays.length; k++) arrays[k] = HugePages.filled(TorchStep.PARAMETERS, k);
        threads = Nets.threads();
        pool = Executors.newFixedThreadPool(threads);
    }

    @Benchmark
    public void triad() throws Exception {
        List<Future<?>> parts = new ArrayList<>();
        for (int t = 0; t < threads; t++) {
            long from = 4L * TorchStep.PARAMETERS / threads / 64 * 64 * t;
            long to = t == threads - 1 ? BYTES : from + 4L * TorchStep.PARAMETERS / threads / 64 * 64;
            parts.add(pool.submit(
                    () -> triad(arrays[0] + from, arrays[1] + from, arrays[2] + from, 3f, (to - from) / 4)));
        }
        for (Future<?> part : parts) part.get();
    }

    @TearDown
    public void close() {
        pool.shutdown();
    }
}
