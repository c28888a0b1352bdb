package io.basin.average;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Memory;
import com.sun.management.ThreadMXBean;
import io.basin.cpu.Halves;
import io.basin.device.Draws;
import io.basin.io.Dtype;
import io.basin.methods.Averaging;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Function;
import org.bytedeco.javacpp.FloatPointer;
import org.junit.jupiter.api.Test;

/** Averages of arrays in the host's memory against float64 sums. */
class AveragerTest {
    private static final int N = 1000;
    private static final int MODELS = 12;

    static float[] model(int m) {
        return Draws.normal(m, N);
    }

    static float[][] models(int from, int to) {
        float[][] all = new float[to - from][];
        for (int m = from; m < to; m++) all[m - from] = model(m);
        return all;
    }

    /** The average after a step on each of the models. */
    private static float[] averaged(Function<AveragerBuilder, Averager> method) {
        float[] w = new float[N];
        try (Averager averager = method.apply(Averager.host().add("w", w))) {
            for (int m = 0; m < MODELS; m++) {
                System.arraycopy(model(m), 0, w, 0, N);
                averager.step();
            }
            return average(averager, "w", N);
        }
    }

    static float[] average(Averager averager, String name, int n) {
        float[] out = new float[n];
        averager.copyTo(name, out);
        return out;
    }

    private static void near(double[] expected, float[] actual, double tolerance) {
        for (int i = 0; i < expected.length; i++) assertEquals(expected[i], actual[i], tolerance, "element " + i);
    }

    @Test
    void everyMethodIsItsDefinition() {
        near(Peer.mean(models(0, MODELS)), averaged(AveragerBuilder::swa), 1e-6);
        near(Peer.mean(models(5, MODELS)), averaged(b -> b.tail(5)), 1e-6);
        near(Peer.mean(models(MODELS - 5, MODELS)), averaged(b -> b.lawa(5)), 1e-6);
        near(Peer.mean(models(0, MODELS)), averaged(b -> b.lawa(50)), 1e-6);
        double[] decay = new double[MODELS];
        Arrays.fill(decay, 0.9);
        near(Peer.sum(Peer.exponential(decay), models(0, MODELS)), averaged(b -> b.ema(0.9, false)), 1e-6);
        Arrays.setAll(decay, k -> Math.min(0.5, (1.0 + k) / (10.0 + k)));
        near(Peer.sum(Peer.exponential(decay), models(0, MODELS)), averaged(b -> b.ema(0.5, true)), 1e-6);
        float[] table = averaged(b -> b.along(Averaging.swa(7, 1, 3, 6)));
        near(Peer.mean(model(1), model(3), model(6)), table, 1e-6);
    }

    @Test
    void swagKeepsTheVarianceAndTheNewestDeviationsFromTheRunningMean() {
        float[] w = new float[N];
        float[] out = new float[N];
        try (Averager swag = Averager.host().add("w", w).swag(3)) {
            for (int m = 0; m < MODELS; m++) {
                System.arraycopy(model(m), 0, w, 0, N);
                swag.step();
            }
            near(Peer.mean(models(0, MODELS)), average(swag, "w", N), 1e-6);
            swag.varianceTo("w", out);
            near(Peer.variance(models(0, MODELS)), out, 1e-5);
            for (int age = 0; age < 3; age++) {
                int newest = MODELS - 1 - age;
                double[] mean = Peer.mean(models(0, newest + 1));
                float[] then = model(newest);
                for (int i = 0; i < N; i++) mean[i] = then[i] - mean[i];
                swag.deviationTo(age, "w", out);
                near(mean, out, 1e-5);
            }
            refused("`age` must lie below the 3 deviations kept", () -> swag.deviationTo(3, "w", out));
        }
    }

    /** Where a mean of squares less the squared mean has no digit left. */
    @Test
    void theVarianceOfWeightsThatHardlyMoveIsTheirs() {
        float[] w = new float[1];
        float[] out = new float[1];
        float[][] seen = new float[9][1];
        try (Averager swag = Averager.host().add("w", w).swag(0)) {
            for (int m = 0; m < seen.length; m++) {
                seen[m][0] = w[0] = 1 + 1e-4f * Draws.normal(m, 1)[0];
                swag.step();
            }
            swag.varianceTo("w", out);
        }
        assertEquals(1, out[0] / Peer.variance(seen)[0], 0.01);
    }

    /** One array in every kind of memory that there is. */
    private static final class Kinds implements AutoCloseable {
        final float[] heap = new float[N];
        final ByteBuffer direct = ByteBuffer.allocateDirect(4 * N + 8).order(ByteOrder.nativeOrder());
        final FloatPointer javacpp = new FloatPointer(N + 1L);
        final Memory jna = new Memory(4L * N);
        final Memory bare = new Memory(4L * N);

        Kinds() {
            direct.putFloat(0, 99).putFloat(4 * N + 4, 98).position(4).limit(4 * N + 4);
            javacpp.put(97).position(1);
        }

        Averager ema() {
            return Averager.host()
                    .add("heap", heap)
                    .add("floats", direct.asFloatBuffer().limit(500))
                    .add("bytes", direct.duplicate().position(2004).order(ByteOrder.nativeOrder()), Dtype.F32)
                    .add("javacpp", javacpp, N, Dtype.F32)
                    .add("jna", jna, N, Dtype.F32)
                    .add("bare", com.sun.jna.Pointer.nativeValue(bare), N, Dtype.F32)
                    .ema(0.75, false);
        }

        void put(float[] v) {
            System.arraycopy(v, 0, heap, 0, N);
            direct.asFloatBuffer().put(v);
            javacpp.put(v, 0, N);
            jna.write(0, v, 0, N);
            bare.write(0, v, 0, N);
        }

        void require(float[] expected) {
            float[] there = new float[N];
            assertArrayEquals(expected, heap);
            direct.asFloatBuffer().get(there);
            assertArrayEquals(expected, there);
            javacpp.get(there);
            assertArrayEquals(expected, there);
            assertArrayEquals(expected, jna.getFloatArray(0, N));
            assertArrayEquals(expected, bare.getFloatArray(0, N));
        }

        @Override
        public void close() {
            direct.clear();
            assertEquals(99, direct.getFloat(0));
            assertEquals(98, direct.getFloat(4 * N + 4));
            assertEquals(97, javacpp.position(0).get());
            javacpp.close();
            jna.close();
            bare.close();
        }
    }

    /** What lies around them stays. */
    @Test
    void everyKindOfMemoryIsAveragedAndPulledAlike() {
        try (Kinds kinds = new Kinds();
                Averager averager = kinds.ema()) {
            for (int m = 0; m < 3; m++) {
                kinds.put(model(m));
                averager.step();
            }
            averager.pull(0.25);
            float[] first = average(averager, "heap", N);
            for (String name : new String[] {"javacpp", "jna", "bare"}) {
                assertArrayEquals(first, average(averager, name, N), name);
            }
            assertArrayEquals(Arrays.copyOf(first, 500), average(averager, "floats", 500));
            assertArrayEquals(Arrays.copyOfRange(first, 500, N), average(averager, "bytes", 500));
            float[] pulled = new float[N];
            for (int i = 0; i < N; i++) pulled[i] = model(2)[i] + 0.25f * (first[i] - model(2)[i]);
            kinds.require(pulled);
        }
    }

    /** 4,000 steps of 2^-13 would stall in bf16: the average has to be float32. */
    @Test
    void arraysOf16BitsHaveAveragesOf32() {
        for (Dtype type : new Dtype[] {Dtype.BF16, Dtype.F16}) {
            ByteBuffer w = ByteBuffer.allocateDirect(2 * 3).order(ByteOrder.nativeOrder());
            short one = (short) (type == Dtype.BF16 ? 0x3F80 : 0x3C00);
            short two = (short) 0x4000;
            try (Averager ema = Averager.host().add("w", w, type).ema(1 - 1.0 / 8192, false)) {
                fill(w, one);
                ema.step();
                fill(w, two);
                for (int k = 0; k < 4000; k++) ema.step();
                double expected = 2 - Math.pow(1 - 1.0 / 8192, 4000);
                assertEquals(expected, average(ema, "w", 3)[1], 1e-4);
                ema.swap();
                short rounded = Halves.of(type, (float) expected);
                assertEquals(rounded, w.getShort(2));
                ema.swap();
                assertEquals(two, w.getShort(2));
                assertEquals(expected, average(ema, "w", 3)[1], 1e-4);
            }
        }
    }

    private static void fill(ByteBuffer w, short value) {
        for (int i = 0; i < 3; i++) w.putShort(2 * i, value);
    }

    @Test
    void swappedTwiceWeightsAndAverageHaveTheirBitsAgain() {
        float[] w = model(0);
        w[1] = Float.intBitsToFloat(0x7FA00001);
        w[2] = -0.0f;
        float[] v = {1, 2};
        try (Averager averager = Averager.host().add("w", w).add("v", v).swa()) {
            averager.step();
            System.arraycopy(model(1), 0, w, 3, N - 3);
            float[] before = w.clone();
            float[] average = average(averager, "w", N);
            averager.swap();
            assertTrue(averager.swapped());
            assertArrayEquals(average, w);
            for (Runnable refused :
                    new Runnable[] {averager::step, () -> averager.average(1), () -> averager.pull(1)}) {
                String said =
                        assertThrows(IllegalStateException.class, refused::run).getMessage();
                assertEquals("the arrays hold the averages: swap back first", said);
            }
            averager.swap();
            assertFalse(averager.swapped());
            for (int i = 0; i < N; i++) {
                assertEquals(Float.floatToRawIntBits(before[i]), Float.floatToRawIntBits(w[i]));
            }
            assertArrayEquals(average, average(averager, "w", N));
            averager.swap();
        }
        assertEquals(-0.0f, w[2]);
        assertEquals(model(1)[0], w[3]);
    }

    @Test
    void swappingArraysOf16BitsLeavesTheDeviationsAlone() {
        ByteBuffer half = ByteBuffer.allocateDirect(2 * 3).order(ByteOrder.nativeOrder());
        float[] out = new float[3];
        try (Averager swag = Averager.host().add("h", half, Dtype.F16).swag(2)) {
            for (short value : new short[] {0x3C00, 0x4000, 0x4200}) {
                fill(half, value);
                swag.step();
            }
            swag.swap();
            assertEquals(0x4000, half.getShort(0));
            swag.swap();
            swag.deviationTo(0, "h", out);
            assertEquals(1, out[0]);
            swag.deviationTo(1, "h", out);
            assertEquals(0.5, out[0]);
        }
    }

    @Test
    void withAlphaZeroNothingMovesAndWithOneTheWeightsAreTheAverage() {
        float[] w = {1, Float.NaN};
        try (Averager averager = Averager.host().add("w", w).swa()) {
            averager.average(0);
            assertEquals(0, averager.collected());
            averager.average(1);
            w[1] = 5;
            averager.average(0);
            assertEquals(Float.NaN, average(averager, "w", 2)[1]);
            averager.average(1);
            assertArrayEquals(w, average(averager, "w", 2));
            w[0] = 7;
            averager.pull(0);
            assertEquals(7, w[0]);
            averager.pull(1);
            assertArrayEquals(new float[] {1, 5}, w);
            assertEquals(2, averager.collected());
            assertEquals(0, averager.steps());
        }
    }

    @Test
    void aCallAllocatesNothing() {
        ThreadMXBean bean = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        ByteBuffer direct = ByteBuffer.allocateDirect(4 * N).order(ByteOrder.nativeOrder());
        ByteBuffer half = ByteBuffer.allocateDirect(2 * N).order(ByteOrder.nativeOrder());
        try (Averager averager = Averager.host()
                .add("w", new float[N])
                .add("d", direct.asFloatBuffer())
                .add("h", half, Dtype.BF16)
                .swag(2)) {
            long least = Long.MAX_VALUE;
            for (int round = 0; round < 20; round++) {
                long before = bean.getCurrentThreadAllocatedBytes();
                for (int k = 0; k < 50; k++) {
                    averager.step();
                    averager.average(0.5);
                    averager.pull(0.5);
                    averager.swap();
                    averager.swap();
                }
                least = Math.min(least, bean.getCurrentThreadAllocatedBytes() - before);
            }
            assertTrue(least < 250, least + " bytes in 250 calls");
        }
    }

    private static void refused(String message, Runnable misuse) {
        String said = assertThrows(IllegalArgumentException.class, misuse::run).getMessage();
        assertTrue(said.startsWith(message), said);
    }

    @Test
    void misuseIsRefusedByTheNameOfTheArray() {
        float[] w = new float[4];
        ByteBuffer direct = ByteBuffer.allocateDirect(64).order(ByteOrder.nativeOrder());
        Memory jna = new Memory(16);
        long at = 1 << 20;
        AveragerBuilder b = Averager.host()
                .add("w", w)
                .add("d", direct.duplicate().limit(16).order(ByteOrder.nativeOrder()), Dtype.F32);
        refused("`w` and", () -> Averager.host().add("v", w).add("w", w).swa());
        refused(
                "`x` and `d` overlap",
                () -> b.add("x", direct.duplicate().position(12).order(ByteOrder.nativeOrder()), Dtype.F32));
        refused(
                "`x` and `a` overlap",
                () -> Averager.host().add("a", at, 4, Dtype.F32).add("x", at + 8, 4, Dtype.BF16));
        refused("`w` is added twice", () -> b.add("w", new float[1]));
        refused("`x` is null", () -> b.add("x", (float[]) null));
        refused("`x` is null", () -> b.add("x", 0L, 4, Dtype.F32));
        refused("`x` is null", () -> b.add("x", new FloatPointer(), 4, Dtype.F32));
        refused("`x` has 0 elements", () -> b.add("x", new float[0]));
        refused("`x` has 600000000 elements", () -> b.add("x", at, 600_000_000, Dtype.F32));
        refused("`x` is F64", () -> b.add("x", at, 4, Dtype.F64));
        refused("`x` is a buffer on the heap", () -> b.add("x", java.nio.FloatBuffer.allocate(4)));
        refused("`x` is a buffer on the heap", () -> b.add("x", ByteBuffer.allocate(4), Dtype.F32));
        refused("`x` is read-only", () -> b.add("x", direct.asReadOnlyBuffer(), Dtype.F32));
        refused(
                "`x` is not in native",
                () -> b.add("x", direct.duplicate().order(ByteOrder.BIG_ENDIAN).asFloatBuffer()));
        refused(
                "`x` has 6 bytes, not a multiple",
                () -> b.add("x", direct.duplicate().limit(6).order(ByteOrder.nativeOrder()), Dtype.F32));
        refused("`x` begins at 0x100002, not", () -> b.add("x", at + 2, 4, Dtype.F32));
        refused("`x` has 16 bytes, too few", () -> b.add("x", jna, 5, Dtype.F32));
        refused("`x` has 16 bytes, too few", () -> b.add("x", new FloatPointer(4), 5, Dtype.F32));
        refused("`name` of an array", () -> b.add(" ", new float[1]));
        refused("no array was added", () -> Averager.host().swa());
        refused("`w` is a Java array", () -> Averager.cuda(0).add("w", w));
        jna.close();
    }

    @Test
    void rulesOfNoNumbersAreRefused() {
        AveragerBuilder b = Averager.host().add("w", new float[4]);
        refused("`decay` must lie in [0, 1)", () -> b.ema(1, false));
        refused("`k` must be at least 1", () -> b.lawa(0));
    }

    @Test
    void callsThatMakeNoSenseAreRefused() {
        float[] w = new float[4];
        Averager averager = Averager.host().add("w", w).swa();
        for (double alpha : new double[] {-0.1, 1.1, Double.NaN, Double.POSITIVE_INFINITY}) {
            refused("`alpha` must lie in [0, 1], got " + alpha, () -> averager.average(alpha));
            refused("`rate` must lie in [0, 1], got " + alpha, () -> averager.pull(alpha));
        }
        refused("`alpha` must be 1 where nothing is averaged yet", () -> averager.average(0.5));
        for (Runnable early :
                new Runnable[] {averager::swap, () -> averager.pull(1), () -> average(averager, "w", 4)}) {
            String said = assertThrows(IllegalStateException.class, early::run).getMessage();
            assertEquals("nothing is averaged yet", said);
        }
        averager.step();
        refused("no array is called `v`", () -> average(averager, "v", 4));
        refused("`w` has 4 elements, but there is room for 3", () -> average(averager, "w", 3));
        assertThrows(IllegalStateException.class, () -> averager.varianceTo("w", w));
        averager.close();
        averager.close();
        for (Runnable late : new Runnable[] {averager::step, averager::swap, () -> average(averager, "w", 4)}) {
            String said = assertThrows(IllegalStateException.class, late::run).getMessage();
            assertEquals("the averager is closed", said);
        }
        Averager lawa = Averager.host().add("w", w).lawa(2);
        assertThrows(IllegalStateException.class, () -> lawa.average(0.5));
        lawa.close();
    }
}
