package io.basin.cuda;

import static jcuda.driver.JCudaDriver.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.basin.average.FusedStep;
import io.basin.average.FusedStepBuilder;
import io.basin.device.AdamW;
import io.basin.device.DeviceException;
import io.basin.device.Draws;
import io.basin.device.Optimizer;
import io.basin.device.Sgd;
import io.basin.device.SgdW;
import io.basin.io.Dtype;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import jcuda.Pointer;
import jcuda.driver.CUcontext;
import jcuda.driver.CUgraph;
import jcuda.driver.CUgraphExec;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureMode;
import jcuda.driver.CUstream_flags;
import org.junit.jupiter.api.Test;

/** The fused step in a program that has a context, a stream and arrays of its own, made by hand. */
class CudaForeignStepTest {
    private static final double[] LR = {0.1, 0.05, 0.013, 0.2};
    private static final double[] ALPHA = {0, 1, 1 / 3.0, 0.25};
    private static final int COUNT = 4 * 1237 + 3;
    private static final int DECAYED = 4 * 700 + 1;

    /** JCuda tells a stream's number to subclasses alone. */
    private static final class Stream extends CUstream {
        long handle() {
            return getNativePointer();
        }
    }

    /** Somebody's program: nothing in it but JCuda. */
    private static final class Program {
        final Stream stream = new Stream();
        final DevicePointer w = put(Draws.normal(1, COUNT));
        final DevicePointer g = put(Draws.normal(2, COUNT));
        final DevicePointer v = put(new float[COUNT]);
        final DevicePointer a = put(new float[COUNT]);
        final DevicePointer s = put(Draws.normal(3, COUNT));

        Program() {
            check(cuStreamCreate(stream, CUstream_flags.CU_STREAM_DEFAULT));
        }

        static void run(Consumer<Program> work) {
            Cuda.inContext(() -> {
                Program program = new Program();
                work.accept(program);
                check(cuStreamDestroy(program.stream));
                for (DevicePointer x : new DevicePointer[] {program.w, program.g, program.v, program.a, program.s})
                    check(cuMemFree(x));
            });
        }

        private static DevicePointer put(float[] values) {
            DevicePointer address = new DevicePointer();
            check(cuMemAlloc(address, 4L * values.length));
            upload(address, values);
            return address;
        }

        FusedStep step(boolean nesterov) {
            return step(nesterov, 0);
        }

        FusedStep step(boolean nesterov, long moment) {
            FusedStepBuilder arrays = FusedStep.cuda(stream.handle())
                    .add("w", w.value(), COUNT, Dtype.F32)
                    .decayed(DECAYED)
                    .add("g", g.value(), COUNT, Dtype.F32)
                    .add("m", v.value(), COUNT, Dtype.F32)
                    .add("a", a.value(), COUNT, Dtype.F32);
            if (moment != 0) arrays.add("s", moment, COUNT, Dtype.F32);
            return arrays.lr(LR).average(ALPHA).build(new Sgd(0.9, 5e-4, nesterov));
        }

        /** New gradients, as a backward pass would leave them. */
        void gradients(int t) {
            float[] values = Draws.normal(100 + t, COUNT);
            upload(g, values);
        }

        /** Waits until the copy has arrived, for which the caller's stream would not wait. */
        private static void upload(DevicePointer to, float[] values) {
            check(cuMemcpyHtoD(to, Pointer.to(values), 4L * values.length));
            check(cuStreamSynchronize(null));
        }

        void require(Scalar expected) {
            check(cuStreamSynchronize(stream));
            assertArrayEquals(expected.w, floats(w), "weights");
            assertArrayEquals(expected.v, floats(v), "momentum");
            assertArrayEquals(expected.a, floats(a), "average");
        }

        private static float[] floats(DevicePointer from) {
            float[] values = new float[COUNT];
            check(cuMemcpyDtoH(Pointer.to(values), from, 4L * COUNT));
            return values;
        }
    }

    private static void check(int status) {
        assertEquals(0, status, () -> Check.driverStatus(status));
    }

    /** The update as its header has it, one rounding after each operation. */
    private static final class Scalar {
        final float[] w = Draws.normal(1, COUNT);
        final float[] v = new float[COUNT];
        final float[] a = new float[COUNT];
        final float[] s = Draws.normal(3, COUNT);

        void step(int t, float[] g, boolean nesterov) {
            float mu = 0.9f;
            for (int i = 0; i < COUNT; i++) {
                float d = g[i] + (i < DECAYED ? 5e-4f : 0) * w[i];
                v[i] = mu * v[i] + d;
                w[i] = w[i] - (float) LR[t] * (nesterov ? d + mu * v[i] : v[i]);
                if (ALPHA[t] == 0) continue;
                float alpha = (float) ALPHA[t];
                a[i] = a[i] + alpha * (w[i] - a[i]);
                float keep = 1 - alpha;
                float off = w[i] - a[i];
                s[i] = keep == 0 ? 0 : keep * s[i] + alpha / keep * (off * off);
            }
        }
    }

    @Test
    void everyStepOnAnothersMemoryAndStreamIsTheScalarOneBitForBit() {
        for (boolean nesterov : new boolean[] {false, true}) {
            Program.run(program -> {
                Scalar expected = new Scalar();
                try (FusedStep step = program.step(nesterov)) {
                    for (int t = 0; t < LR.length; t++) {
                        program.gradients(t);
                        step.run();
                        expected.step(t, Draws.normal(100 + t, COUNT), nesterov);
                        program.require(expected);
                    }
                    step.run();
                    program.require(expected);
                }
            });
        }
    }

    @Test
    void theMomentOfWhatIsAveragedIsKeptWhereItIsAskedFor() {
        Program.run(program -> {
            Scalar expected = new Scalar();
            try (FusedStep step = program.step(false, program.s.value())) {
                for (int t = 0; t < LR.length; t++) {
                    program.gradients(t);
                    step.run();
                    expected.step(t, Draws.normal(100 + t, COUNT), false);
                    program.require(expected);
                    assertArrayEquals(expected.s, Program.floats(program.s), "moment");
                }
            }
        });
    }

    @Test
    void capturedInTheCallersGraphItGoesOnAlongTheTablesAtEachReplay() {
        Program.run(program -> {
            Scalar expected = new Scalar();
            CUgraph captured = new CUgraph();
            CUgraphExec graph = new CUgraphExec();
            try (FusedStep step = program.step(true)) {
                check(cuStreamBeginCapture(program.stream, CUstreamCaptureMode.CU_STREAM_CAPTURE_MODE_THREAD_LOCAL));
                step.run();
                check(cuStreamEndCapture(program.stream, captured));
                check(cuGraphInstantiate(graph, captured, 0));
                for (int t = 0; t < LR.length; t++) {
                    program.gradients(t);
                    check(cuGraphLaunch(graph, program.stream));
                    expected.step(t, Draws.normal(100 + t, COUNT), true);
                    program.require(expected);
                }
                check(cuGraphExecDestroy(graph));
                check(cuGraphDestroy(captured));
            }
        });
    }

    @Test
    void runningWaitsForNothingAndCopiesNothing() {
        if (!Cuda.software()) return;
        Program.run(program -> {
            try (FusedStep step = program.step(false)) {
                SoftGpu.reset();
                for (int t = 0; t < LR.length; t++) step.run();
                assertEquals(2L * LR.length, SoftGpu.counter("launches"));
                for (String none : new String[] {"syncs", "htod", "dtoh", "dtod", "allocs"}) {
                    assertEquals(0, SoftGpu.counter(none), none);
                }
            }
        });
    }

    /** By the rule and by what it does beside it. */
    @Test
    void everyRuleMovesTheBytesOfItsHeader() {
        if (!Cuda.software()) return;
        assertEquals(20, bytes(new Sgd(0.9, 5e-4, false), "wgma", 0, 0));
        assertEquals(28, bytes(new Sgd(0.9, 5e-4, true), "wgma", 0.5, 0));
        assertEquals(36, bytes(new Sgd(0.9, 5e-4, true), "wgmas", 0.5, 0));
        assertEquals(28, bytes(new SgdW(0.9, 5e-4, true), "wgma", 0.5, 0.5));
        assertEquals(24, bytes(new SgdW(0.9, 5e-4, true), "wgma", 0, 0.5));
        assertEquals(28, bytes(new AdamW(0.05), "wgmva", 0, 0));
        assertEquals(36, bytes(new AdamW(0.05), "wgmva", 0.5, 0));
    }

    private static long counted(String kernel) {
        return SoftGpu.counter("kernel:" + kernel + ":loaded") + SoftGpu.counter("kernel:" + kernel + ":stored");
    }

    private static double bytes(Optimizer rule, String letters, double alpha, double pull) {
        int n = 2 * 16384;
        double[] moved = {0};
        Cuda.inContext(() -> {
            List<DevicePointer> all = new ArrayList<>();
            FusedStepBuilder arrays = FusedStep.cuda(0);
            for (String letter : letters.split("")) {
                all.add(Program.put(Draws.normal(1, n)));
                arrays.add(letter, all.get(all.size() - 1).value(), n, Dtype.F32);
            }
            try (FusedStep step =
                    arrays.lr(0.1).average(alpha).pull(pull).clip(1).build(rule)) {
                SoftGpu.reset();
                step.run();
                check(cuStreamSynchronize(null));
                moved[0] = SoftGpu.counter("kernel:fused:wide");
                // Two pieces of a block each; every thread reads its piece, and of a rule that has them the step and
                // its
                // numbers.
                int numbers = rule instanceof AdamW ? 8 + 8 : 0;
                long rest = 2 * (28 + 256 * (64 + numbers) + 2 * 8);
                assertEquals((long) moved[0] + rest, counted("fused"), rule.toString());
                assertEquals(4L * n + 2 * (256 * 16 + 8), counted("squares"));
            }
            all.forEach(x -> check(cuMemFree(x)));
        });
        return moved[0] / n;
    }

    @Test
    void whatItOwnsIsGivenBackAlsoWhereMakingItFails() {
        if (!Cuda.software()) return;
        Program.run(program -> {
            long memory = SoftGpu.counter("live_bytes");
            long modules = SoftGpu.counter("live_modules");
            program.step(false).close();
            for (String kind : new String[] {"alloc", "copy", "sync", "context"}) {
                SoftGpu.fail(kind, 1);
                DeviceException e = assertThrows(DeviceException.class, () -> program.step(false), kind);
                assertTrue(e.getMessage().startsWith("cu"), e.getMessage());
            }
            assertEquals(memory, SoftGpu.counter("live_bytes"));
            assertEquals(0, SoftGpu.counter("live_pinned"));
            assertEquals(modules, SoftGpu.counter("live_modules"));
        });
    }

    @Test
    void withoutACurrentContextAndOnceClosedItSaysSo() {
        Program.run(program -> {
            CUcontext context = new CUcontext();
            check(cuCtxPopCurrent(context));
            DeviceException e = assertThrows(DeviceException.class, () -> program.step(false));
            check(cuCtxPushCurrent(context));
            assertTrue(e.getMessage().contains("make your context current"), e.getMessage());
            FusedStep step = program.step(false);
            step.close();
            step.close();
            assertThrows(IllegalStateException.class, step::run);
        });
    }
}
