package io.basin.average;

import static jcuda.driver.JCudaDriver.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.management.ThreadMXBean;
import io.basin.cpu.Halves;
import io.basin.cuda.Cuda;
import io.basin.cuda.SoftGpu;
import io.basin.device.DeviceException;
import io.basin.device.Draws;
import io.basin.device.Sgd;
import io.basin.io.Dtype;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.Function;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUdeviceptr;
import jcuda.driver.CUgraph;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Averages in another program's GPU memory: the host's bits, on its stream, without waiting. */
class CudaAveragerTest {
    /** More than a piece of the kernel's, and not a multiple of four. */
    private static final int LONG = 16384 * 2 + 1039;

    @TempDir
    Path folder;

    private static final class Stream extends CUstream {
        long handle() {
            return getNativePointer();
        }
    }

    private static final class Block extends CUdeviceptr {
        long address() {
            return getNativePointer();
        }
    }

    /** An array here and its twin on the GPU, which begins {@code skip} elements after an allocation. */
    private static final class Twin {
        final String name;
        final Dtype type;
        final int count;
        final int skip;
        final ByteBuffer host;
        final Block block = new Block();

        Twin(String name, Dtype type, int count, int skip) {
            this.name = name;
            this.type = type;
            this.count = count;
            this.skip = skip;
            host = ByteBuffer.allocateDirect(count * type.bytes()).order(ByteOrder.nativeOrder());
            check(cuMemAlloc(block, (long) (count + skip) * type.bytes()));
        }

        long address() {
            return block.address() + (long) skip * type.bytes();
        }

        CUdeviceptr begin() {
            return block.withByteOffset((long) skip * type.bytes());
        }

        void fill(int seed) {
            float[] values = Draws.normal(seed, count);
            values[0] = -0.0f;
            values[count - 1] *= 1e-6f;
            for (int i = 0; i < count; i++) {
                if (type == Dtype.F32) host.putFloat(4 * i, values[i]);
                else host.putShort(2 * i, Halves.of(type, values[i]));
            }
            check(cuMemcpyHtoD(begin(), Pointer.to(host), host.capacity()));
        }

        void requireSame(String when) {
            ByteBuffer there = ByteBuffer.allocateDirect(host.capacity());
            check(cuMemcpyDtoH(Pointer.to(there), begin(), host.capacity()));
            assertEquals(-1, host.clear().mismatch(there), name + " " + when);
        }
    }

    /** Somebody's program, in a context of its own. */
    private static final class Program {
        final Stream stream = new Stream();
        final List<Twin> twins = List.of(
                new Twin("aligned", Dtype.F32, LONG, 0),
                new Twin("odd", Dtype.F32, 1037, 1),
                new Twin("bf16", Dtype.BF16, 2053, 0),
                new Twin("f16", Dtype.F16, 2053, 4),
                new Twin("f16 odd", Dtype.F16, 33, 3));

        Program() {
            check(cuStreamCreate(stream, CUstream_flags.CU_STREAM_NON_BLOCKING));
            fill(0);
        }

        static void run(Consumer<Program> work) {
            Cuda.inContext(() -> {
                Program program = new Program();
                work.accept(program);
                check(cuStreamDestroy(program.stream));
                for (Twin twin : program.twins) check(cuMemFree(twin.block));
            });
        }

        AveragerBuilder there(int arrays) {
            AveragerBuilder b = Averager.cuda(stream.handle());
            for (Twin t : twins.subList(0, arrays)) b.add(t.name, t.address(), t.count, t.type);
            return b;
        }

        AveragerBuilder here(int arrays) {
            AveragerBuilder b = Averager.host();
            for (Twin t : twins.subList(0, arrays)) b.add(t.name, t.host, t.type);
            return b;
        }

        void fill(int seed) {
            // The stream does not wait for the default one, on which the copies run, nor they for it.
            check(cuStreamSynchronize(stream));
            for (Twin t : twins) t.fill(100 * seed + t.name.length());
            check(cuStreamSynchronize(null));
        }

        void require(String when) {
            check(cuStreamSynchronize(stream));
            for (Twin t : twins) t.requireSame(when);
        }
    }

    private static void check(int status) {
        assertEquals(0, status);
    }

    private static byte[] saved(Averager averager, Path file) {
        averager.save(file);
        try {
            return Files.readAllBytes(file);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    void everyMethodPullAndSwapHaveTheHostsBits() {
        Map<String, Function<AveragerBuilder, Averager>> methods = Map.of(
                "swa", AveragerBuilder::swa,
                "ema", b -> b.ema(0.9, true),
                "lawa", b -> b.lawa(3),
                "swag", b -> b.swag(2));
        for (int arrays : new int[] {2, 5}) {
            Program.run(program -> methods.forEach((name, method) -> {
                try (Averager here = method.apply(program.here(arrays));
                        Averager there = method.apply(program.there(arrays))) {
                    List<Averager> both = List.of(here, there);
                    for (int step = 0; step < 5; step++) {
                        program.fill(step);
                        both.forEach(Averager::step);
                        both.forEach(a -> a.pull(0.25));
                        program.require(name + " pulled");
                    }
                    both.forEach(Averager::swap);
                    program.require(name + " swapped");
                    both.forEach(Averager::swap);
                    program.require(name + " swapped back");
                    assertArrayEquals(saved(here, folder.resolve("here")), saved(there, folder.resolve("there")), name);
                    both.forEach(a -> a.pull(1));
                    program.require(name + " pulled all the way");
                }
            }));
        }
    }

    @Test
    void whatTheHostSavedTheGpuTakesUp() {
        Program.run(program -> {
            Path file = folder.resolve("state");
            try (Averager here = program.here(5).swag(2);
                    Averager there = program.there(5).swag(2)) {
                for (int step = 0; step < 3; step++) {
                    program.fill(step);
                    here.step();
                }
                byte[] bytes = saved(here, file);
                there.restore(file);
                assertArrayEquals(bytes, saved(there, folder.resolve("again")));
                program.fill(7);
                here.step();
                there.step();
                assertArrayEquals(saved(here, file), saved(there, folder.resolve("again")));
            }
        });
    }

    /** The engine's own kernel, with a rate of 0, on the same weights. */
    @Test
    void theAverageIsTheFusedStepsBitForBit() {
        Program.run(program -> {
            int n = 4 * 1237;
            double[] alpha = {0, 1, 1 / 3.0, 0.25};
            Twin w = program.twins.get(0);
            List<Twin> others = new ArrayList<>();
            for (String name : new String[] {"g", "v", "a"}) {
                Twin zeros = new Twin(name, Dtype.F32, n, 0);
                check(cuMemcpyHtoD(zeros.begin(), Pointer.to(zeros.host), zeros.host.capacity()));
                others.add(zeros);
            }
            check(cuStreamSynchronize(null));
            Twin a = others.get(2);
            try (FusedStep step = FusedStep.cuda(program.stream.handle())
                            .add("w", w.address(), n, Dtype.F32)
                            .add("g", others.get(0).address(), n, Dtype.F32)
                            .add("m", others.get(1).address(), n, Dtype.F32)
                            .add("a", a.address(), n, Dtype.F32)
                            .lr(new double[4])
                            .average(alpha)
                            .build(new Sgd(0, 0, false));
                    Averager averager = Averager.cuda(program.stream.handle())
                            .add("w", w.address(), n, Dtype.F32)
                            .swa()) {
                for (int t = 0; t < alpha.length; t++) {
                    program.fill(t);
                    step.run();
                    averager.average(alpha[t]);
                }
                averager.copyTo("w", a.host.asFloatBuffer());
                a.requireSame("average");
            }
            for (Twin t : others) check(cuMemFree(t.block));
        });
    }

    @Test
    void aStepIsOneLaunchThatWaitsForNothingAndAlphaZeroIsNone() {
        if (!Cuda.software()) return;
        Program.run(program -> {
            try (Averager averager = program.there(1).swa()) {
                averager.step();
                check(cuStreamSynchronize(program.stream));
                SoftGpu.reset();
                averager.average(0);
                assertEquals(0, SoftGpu.counter("launches"));
                averager.step();
                assertEquals(1, SoftGpu.counter("launches"));
                for (String none : new String[] {"syncs", "htod", "dtoh", "dtod", "allocs", "memsets"}) {
                    assertEquals(0, SoftGpu.counter(none), none);
                }
                check(cuStreamSynchronize(program.stream));
                long moved = SoftGpu.counter("kernel:arrays:loaded") + SoftGpu.counter("kernel:arrays:stored");
                // Every thread of a piece reads the piece's row of the table.
                assertEquals(12L * LONG + 24L * 3 * 256, moved);
                assertEquals(12L * (LONG - 3), SoftGpu.counter("kernel:arrays:wide"));
            }
        });
    }

    /** Launches and bytes an element of one step, of twin number {@code twin} alone, which has a piece to itself. */
    private static void assertStepMoves(long bytes, int launches, int twin, Function<AveragerBuilder, Averager> rule) {
        if (!Cuda.software()) return;
        Program.run(program -> {
            Twin w = program.twins.get(twin);
            AveragerBuilder builder = Averager.cuda(program.stream.handle());
            try (Averager averager = rule.apply(builder.add("w", w.address(), w.count, w.type))) {
                averager.step();
                check(cuStreamSynchronize(program.stream));
                SoftGpu.reset();
                averager.step();
                check(cuStreamSynchronize(program.stream));
                assertEquals(launches, SoftGpu.counter("kernel:arrays:launches"));
                long moved = SoftGpu.counter("kernel:arrays:loaded") + SoftGpu.counter("kernel:arrays:stored");
                assertEquals(bytes * w.count + 24L * 256 * launches, moved);
            }
        });
    }

    @Test
    void anAverageOf16BitsMovesTenBytesAnElement() {
        assertStepMoves(10, 1, 2, builder -> builder.ema(0.9, false));
    }

    /** The variance takes no pass of its own; a deviation does. */
    @Test
    void swagsMeanAndVarianceMoveTwentyBytesAnElement() {
        assertStepMoves(20, 1, 1, builder -> builder.swag(0));
        assertStepMoves(32, 2, 1, builder -> builder.swag(1));
    }

    @Test
    void aStepAllocatesNothing() {
        Program.run(program -> {
            ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            Twin w = program.twins.get(4);
            try (Averager averager = Averager.cuda(program.stream.handle())
                    .add("w", w.address(), w.count, w.type)
                    .swag(2)) {
                long least = Long.MAX_VALUE;
                for (int round = 0; round < 10; round++) {
                    long before = bean.getCurrentThreadAllocatedBytes();
                    for (int k = 0; k < 20; k++) averager.step();
                    least = Math.min(least, bean.getCurrentThreadAllocatedBytes() - before);
                }
                assertTrue(least < 20, least + " bytes in 20 steps");
            }
        });
    }

    @Test
    void aCaptureMemoryThatEndsEarlyAndAMissingContextAreRefused() {
        Program.run(program -> {
            Twin w = program.twins.get(0);
            AveragerBuilder late = Averager.cuda(0).add("w", w.address() + 16, w.count, Dtype.F32);
            String early =
                    assertThrows(IllegalArgumentException.class, late::swa).getMessage();
            assertEquals(
                    "`w` takes " + 4 * LONG + " bytes, but its device memory ends " + (4 * LONG - 16)
                            + " bytes after its address",
                    early);
            try (Averager averager = program.there(5).swa()) {
                check(cuStreamBeginCapture(program.stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
                String captured =
                        assertThrows(DeviceException.class, averager::step).getMessage();
                CUgraph graph = new CUgraph();
                check(cuStreamEndCapture(program.stream, graph));
                check(cuGraphDestroy(graph));
                assertTrue(captured.startsWith("the stream is being captured"), captured);
                assertEquals(0, averager.steps() + averager.collected());
                averager.step();
                assertEquals(1, averager.collected());
            }
            CUcontext context = new CUcontext();
            check(cuCtxPopCurrent(context));
            String missing =
                    assertThrows(DeviceException.class, program.there(1)::swa).getMessage();
            check(cuCtxPushCurrent(context));
            assertTrue(missing.contains("make your context current"), missing);
        });
    }

    @Test
    void whatItOwnsIsGivenBackAlsoWhereMakingItFails() {
        if (!Cuda.software()) return;
        Program.run(program -> {
            long memory = SoftGpu.counter("live_bytes");
            long modules = SoftGpu.counter("live_modules");
            Averager averager = program.there(5).swag(2);
            averager.step();
            averager.swap();
            averager.close();
            program.require("after close");
            for (String kind : new String[] {"alloc", "copy", "sync", "context"}) {
                SoftGpu.fail(kind, 1);
                DeviceException e = assertThrows(DeviceException.class, program.there(5)::swa, kind);
                assertTrue(e.getMessage().startsWith("cu"), e.getMessage());
            }
            assertEquals(memory, SoftGpu.counter("live_bytes"));
            assertEquals(modules, SoftGpu.counter("live_modules"));
        });
    }

    /** A launch that fails has counted nothing: the step can be taken again. */
    @Test
    void aStepThatFailsIsNotCounted() {
        if (!Cuda.software()) return;
        Program.run(program -> {
            try (Averager swa = program.there(2).swa();
                    Averager lawa = program.there(2).lawa(2)) {
                for (Averager averager : List.of(swa, lawa)) {
                    SoftGpu.fail("launch", 1);
                    assertThrows(DeviceException.class, averager::step);
                    assertEquals(0, averager.steps() + averager.collected());
                }
            }
        });
    }
}
