package io.basin.average;

import static jcuda.driver.JCudaDriver.*;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.Memory;
import com.sun.management.ThreadMXBean;
import io.basin.cuda.Cuda;
import io.basin.device.AdamW;
import io.basin.device.Draws;
import io.basin.device.Optimizer;
import io.basin.device.Sgd;
import io.basin.device.SgdW;
import io.basin.device.UpdateRule;
import io.basin.io.Dtype;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import jcuda.Pointer;
import jcuda.driver.CUdeviceptr;
import org.junit.jupiter.api.Test;

/** One step of any optimizer over anybody's arrays: by its formula, and with the same bits in Java, in C and on a GPU. */
class FusedStepTest {
    private static final double[] LR = {0.1, 0.05, 0.013, 0.2};
    private static final double[] ALPHA = {0, 1, 1 / 3.0, 0.25};
    private static final double[] PULL = {0, 0, 0.5, 1};
    /** Two tensors, of which the second does not decay; the first takes more than a piece. */
    private static final int[] SIZES = {16384 + 1239, 10};

    private static final String[] LETTERS = {"w", "g", "m", "v", "a", "s"};
    private static final double CLIP = 20;

    /** Momentum alone, with a square root: what a user may write. */
    private record Rooted() implements UpdateRule {
        @Override
        public String name() {
            return "rooted";
        }

        @Override
        public int moments() {
            return 0;
        }

        @Override
        public double weightDecay() {
            return 0.1;
        }

        @Override
        public void update(int n, float[] w, float[] g, float[] m, float[] v, float lr, float wd, float[] c) {
            for (int i = 0; i < n; i++) w[i] = w[i] - lr * (g[i] / (float) Math.sqrt(g[i] * g[i] + 1) + wd * w[i]);
        }

        @Override
        public String cuda() {
            return "w = w - lr * (g / sqrtf(g * g + 1) + wd * w);";
        }
    }

    private static float[] start(int tensor, int letter) {
        float[] drawn = Draws.normal(10 * tensor + letter, SIZES[tensor]);
        if (letter >= 3) for (int i = 0; i < drawn.length; i++) drawn[i] = Math.abs(drawn[i]);
        return drawn;
    }

    private static float[] gradients(int t, int tensor) {
        return Draws.normal(100 + 10 * t + tensor, SIZES[tensor]);
    }

    /** Somebody's memory. */
    private interface Place {
        void add(FusedStepBuilder to, String letter, float[] values);

        /** Overwrites the k-th array that was added. */
        void write(int k, float[] values);

        float[] read(int k);
    }

    private static final class Heap implements Place {
        private final List<float[]> arrays = new ArrayList<>();

        @Override
        public void add(FusedStepBuilder to, String letter, float[] values) {
            arrays.add(values.clone());
            to.add(letter, arrays.get(arrays.size() - 1));
        }

        @Override
        public void write(int k, float[] values) {
            System.arraycopy(values, 0, arrays.get(k), 0, values.length);
        }

        @Override
        public float[] read(int k) {
            return arrays.get(k).clone();
        }
    }

    private static final class Outside implements Place {
        private final List<Memory> arrays = new ArrayList<>();

        @Override
        public void add(FusedStepBuilder to, String letter, float[] values) {
            Memory memory = new Memory(4L * values.length);
            arrays.add(memory);
            write(arrays.size() - 1, values);
            to.add(letter, com.sun.jna.Pointer.nativeValue(memory), values.length, Dtype.F32);
        }

        @Override
        public void write(int k, float[] values) {
            arrays.get(k).write(0, values, 0, values.length);
        }

        @Override
        public float[] read(int k) {
            return arrays.get(k).getFloatArray(0, (int) (arrays.get(k).size() / 4));
        }
    }

    /** One float after an allocation, so that no access is wide, or at its beginning. */
    private static final class OnGpu implements Place {
        private final int skip;
        private final List<Block> blocks = new ArrayList<>();
        private final List<Integer> sizes = new ArrayList<>();

        private static final class Block extends CUdeviceptr {
            long address() {
                return getNativePointer();
            }
        }

        OnGpu(int skip) {
            this.skip = skip;
        }

        @Override
        public void add(FusedStepBuilder to, String letter, float[] values) {
            Block block = new Block();
            assertEquals(0, cuMemAlloc(block, 4L * (values.length + skip)));
            blocks.add(block);
            sizes.add(values.length);
            write(blocks.size() - 1, values);
            to.add(letter, block.address() + 4L * skip, values.length, Dtype.F32);
        }

        @Override
        public void write(int k, float[] values) {
            assertEquals(
                    0, cuMemcpyHtoD(blocks.get(k).withByteOffset(4L * skip), Pointer.to(values), 4L * values.length));
        }

        @Override
        public float[] read(int k) {
            float[] values = new float[sizes.get(k)];
            assertEquals(
                    0, cuMemcpyDtoH(Pointer.to(values), blocks.get(k).withByteOffset(4L * skip), 4L * values.length));
            return values;
        }

        void free() {
            blocks.forEach(b -> assertEquals(0, cuMemFree(b)));
        }
    }

    private static boolean uses(Optimizer rule, String letter) {
        return !(letter.equals("m") && rule.moments() < 1 || letter.equals("v") && rule.moments() < 2);
    }

    /** All arrays after all steps and one beyond the tables, by letter and tensor. */
    private static Map<String, float[]> run(FusedStepBuilder builder, Place place, Optimizer rule, boolean clips) {
        Map<String, Integer> at = new LinkedHashMap<>();
        for (int tensor = 0; tensor < SIZES.length; tensor++) {
            for (int letter = 0; letter < LETTERS.length; letter++) {
                if (!uses(rule, LETTERS[letter])) continue;
                place.add(builder, LETTERS[letter], start(tensor, letter));
                at.put(LETTERS[letter] + tensor, at.size());
                if (letter == 0 && tensor == 1) builder.decayed(0);
                if (letter == 0 && tensor == 0) builder.decayed(1001);
            }
        }
        if (clips) builder.clip(CLIP);
        try (FusedStep step = builder.lr(LR).average(ALPHA).pull(PULL).build(rule)) {
            for (int t = 0; t <= LR.length; t++) {
                for (int tensor = 0; tensor < SIZES.length; tensor++)
                    place.write(at.get("g" + tensor), gradients(t, tensor));
                step.run();
            }
        }
        Map<String, float[]> left = new LinkedHashMap<>();
        at.forEach((name, k) -> left.put(name, place.read(k)));
        return left;
    }

    private static List<Optimizer> rules() {
        return List.of(
                new Sgd(0.9, 5e-4, false),
                new Sgd(0.9, 5e-4, true),
                new SgdW(0.9, 0.01, false),
                new SgdW(0.9, 0.01, true),
                new AdamW(0.05),
                new Rooted());
    }

    private static void same(String what, Map<String, float[]> expected, Map<String, float[]> actual) {
        expected.forEach((name, values) -> assertArrayEquals(values, actual.get(name), what + " " + name));
    }

    /** Java on the Java heap, C outside of it where this build has it. */
    @Test
    void javaAndCHaveTheSameBits() {
        for (Optimizer rule : rules()) {
            for (boolean clips : new boolean[] {false, true}) {
                Map<String, float[]> java = run(FusedStep.host(), new Heap(), rule, clips);
                same(rule + " in C", java, run(FusedStep.host(), new Outside(), rule, clips));
            }
        }
    }

    @Test
    void aGpuHasThemToo() {
        if (!Cuda.works()) return;
        for (Optimizer rule : rules()) {
            for (boolean clips : new boolean[] {false, true}) {
                Map<String, float[]> java = run(FusedStep.host(), new Heap(), rule, clips);
                Cuda.inContext(() -> {
                    OnGpu place = new OnGpu(clips ? 1 : 0);
                    same(rule + " on CUDA", java, run(FusedStep.cuda(0), place, rule, clips));
                    place.free();
                });
            }
        }
    }

    /** In double, from the formulas. */
    @Test
    void everyStepFollowsItsFormula() {
        for (boolean clips : new boolean[] {false, true}) {
            for (Optimizer rule : rules()) {
                Map<String, float[]> left = run(FusedStep.host(), new Outside(), rule, clips);
                for (int tensor = 0; tensor < 2; tensor++) {
                    for (int i : new int[] {0, 9, 1000, 1001, SIZES[0] - 1}) {
                        if (i >= SIZES[tensor]) continue;
                        double[] x = new double[6];
                        for (int k = 0; k < 6; k++) x[k] = start(tensor, k)[i];
                        for (int t = 0; t < LR.length; t++) {
                            double f = clips ? Math.min(1, CLIP / (norm(t) + 1e-6)) : 1;
                            double wd = tensor == 0 && i < 1001 ? 1 : 0;
                            step(rule, x, f * gradients(t, tensor)[i], t, wd);
                        }
                        for (int k : new int[] {0, 4, 5}) {
                            double actual = left.get(LETTERS[k] + tensor)[i];
                            assertEquals(x[k], actual, 2e-5 * Math.max(1, Math.abs(x[k])), rule + " " + LETTERS[k] + i);
                        }
                    }
                }
            }
        }
    }

    private static double norm(int t) {
        double sum = 0;
        for (int tensor = 0; tensor < 2; tensor++) for (float g : gradients(t, tensor)) sum += (double) g * g;
        return Math.sqrt(sum);
    }

    /** x = w g m v a s; {@code decays} is 0 or 1. */
    private static void step(Optimizer rule, double[] x, double g, int t, double decays) {
        double lr = LR[t];
        if (rule instanceof Sgd r) {
            double d = g + decays * r.weightDecay() * x[0];
            x[2] = 0.9 * x[2] + d;
            x[0] -= lr * (r.nesterov() ? d + 0.9 * x[2] : x[2]);
        } else if (rule instanceof SgdW r) {
            x[2] = 0.9 * x[2] + g;
            x[0] -= lr * decays * r.weightDecay() * x[0] + lr * (r.nesterov() ? g + 0.9 * x[2] : x[2]);
        } else if (rule instanceof AdamW r) {
            x[2] = 0.9 * x[2] + 0.1 * g;
            x[3] = 0.999 * x[3] + 0.001 * g * g;
            double mean = x[2] / (1 - Math.pow(0.9, t + 1));
            double spread = Math.sqrt(x[3] / (1 - Math.pow(0.999, t + 1)));
            x[0] -= lr * decays * r.weightDecay() * x[0] + lr * mean / (spread + 1e-8);
        } else {
            x[0] -= lr * (g / Math.sqrt(g * g + 1) + decays * 0.1 * x[0]);
        }
        if (ALPHA[t] != 0) {
            x[4] += ALPHA[t] * (x[0] - x[4]);
            double keep = 1 - ALPHA[t];
            x[5] = keep == 0 ? 0 : keep * x[5] + ALPHA[t] / keep * (x[0] - x[4]) * (x[0] - x[4]);
        }
        x[0] += PULL[t] * (x[4] - x[0]);
    }

    /** Whose norm is below the limit are left alone, bit for bit. */
    @Test
    void gradientsWithinTheLimitAreNotScaled() {
        float[] w = {1, 2};
        float[] clipped = {1, 2};
        for (float[] weights : new float[][] {w, clipped}) {
            FusedStepBuilder b = FusedStep.host().add("w", weights).add("g", new float[] {0.3f, 0.4f});
            if (weights == clipped) b.clip(0.6);
            try (FusedStep step = b.add("m", new float[2]).lr(0.1).build(new Sgd(0, 0, false))) {
                step.run();
            }
        }
        assertArrayEquals(w, clipped);
    }

    @Test
    void aLoopThatWasInterruptedGoesOnAlongTheTables() {
        float[][] w = {{1}, {1}};
        float[] g = {1};
        for (int k = 0; k < 2; k++) {
            float[] m = new float[1];
            for (int from = 0; from < 4; from += k == 0 ? 4 : 2) {
                FusedStepBuilder b = FusedStep.host()
                        .add("w", w[k])
                        .add("g", g)
                        .add("m", m)
                        .lr(LR)
                        .from(from);
                try (FusedStep step = b.build(new Sgd(0.9, 0.01, false))) {
                    for (int t = 0; t < (k == 0 ? 4 : 2); t++) step.run();
                }
            }
        }
        assertArrayEquals(w[0], w[1]);
    }

    @Test
    void aStepAllocatesNothing() {
        Outside place = new Outside();
        FusedStepBuilder b = FusedStep.host();
        for (String letter : LETTERS) place.add(b, letter, new float[1000]);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        try (FusedStep step = b.lr(new double[3000]).clip(1).build(new AdamW(0.1))) {
            for (int t = 0; t < 2000; t++) step.run();
            long before = threads.getCurrentThreadAllocatedBytes();
            for (int t = 0; t < 1000; t++) step.run();
            assertTrue(threads.getCurrentThreadAllocatedBytes() - before < 1000, "bytes a step");
        }
    }

    private static void refuses(String message, Runnable misuse) {
        String said = assertThrows(IllegalArgumentException.class, misuse::run).getMessage();
        assertTrue(said.startsWith(message), said);
    }

    @Test
    void misuseIsRefusedByTheNameOfWhatIsWrong() {
        Sgd sgd = new Sgd();
        float[] w = new float[8];
        FusedStepBuilder both =
                FusedStep.host().add("w", w).add("g", new float[8]).lr(1, 1);
        refuses("no w was added", () -> FusedStep.host().lr(1).build(sgd));
        refuses("`m` was added 0 times, w 1 times: every tensor needs one", () -> both.build(sgd));
        refuses("`b` is not one of w, g, m, v, a and s", () -> FusedStep.host().add("b", w));
        refuses("`g` and `w` overlap", () -> FusedStep.host().add("w", w).add("g", w));
        refuses(
                "`m` has 7 elements, but its w has 8",
                () -> both.add("m", new float[7]).build(sgd));
        FusedStepBuilder full =
                FusedStep.host().add("w", w).add("g", new float[8]).add("m", new float[8]);
        refuses("`lr` has no steps", () -> full.build(sgd));
        refuses("`a` was added 0 times", () -> full.lr(1, 1).average(0, 1).build(sgd));
        refuses(
                "`average` has 3 steps, but `lr` has 2",
                () -> full.average(0, 0, 0).build(sgd));
        refuses(
                "`average` must lie in [0, 1], got 2.0",
                () -> full.average(0, 2).build(sgd));
        refuses("`pull` must lie in [0, 1]", () -> full.average().pull(-1, 0).build(sgd));
        refuses("`decayed` must lie between 0 and the 8 weights, got 9", () -> full.decayed(9));
        refuses("`norm`", () -> full.clip(0));
        refuses("`w` is BF16; a step takes F32", () -> FusedStep.cuda(0).add("w", 16, 8, Dtype.BF16));
        FusedStep step = full.pull().build(sgd);
        step.close();
        step.close();
        assertThrows(IllegalStateException.class, step::run);
    }
}
