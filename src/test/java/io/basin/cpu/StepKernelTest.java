package io.basin.cpu;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.sun.jna.NativeLibrary;
import io.basin.device.AdamW;
import io.basin.device.Arena;
import io.basin.device.Arenas;
import io.basin.device.Cache;
import io.basin.device.Coefficients;
import io.basin.device.Draws;
import io.basin.device.EpochMetrics;
import io.basin.device.Initializer;
import io.basin.device.Layer;
import io.basin.device.Layout;
import io.basin.device.Memory;
import io.basin.device.Optimizer;
import io.basin.device.ParameterStore;
import io.basin.device.PlanContext;
import io.basin.device.Precision;
import io.basin.device.RunState;
import io.basin.device.Sgd;
import io.basin.device.SgdW;
import io.basin.device.Shape;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** {@code kernels/step.c} against plain Java, bit for bit, on every kind of processor that this one can pass for. */
class StepKernelTest {
    private static final double[] LR = {0.1, 0.03, 0.2};
    private static final double[] ALPHA = {0, 1, 0.3};
    private static final double[] PULL = {0, 0.6, 1};
    private static final float[] ODD = {
        Float.NaN, Float.POSITIVE_INFINITY, -0.0f, Float.MIN_VALUE, -Float.MIN_NORMAL, Float.MAX_VALUE, 0
    };
    /** More than a tile of either side, and than a piece. */
    private static final int N = 64 * 256 + 1024 + 77;

    static boolean here() {
        if (StepKernel.present()) return true;
        System.out.println("NOT COVERED: the C kernel: " + StepKernel.describe());
        return false;
    }

    /** Does the work with each version that this processor has. */
    static void onEveryVersion(Runnable work) {
        com.sun.jna.Pointer most = library().getGlobalVariableAddress("basin_most");
        int best = StepKernel.basin_level();
        try {
            for (int level = 0; level <= best; level++) {
                most.setInt(0, level);
                assertEquals(level, StepKernel.basin_level());
                work.run();
            }
        } finally {
            most.setInt(0, 2);
        }
    }

    private static NativeLibrary library() {
        try (DirectoryStream<Path> files = Files.newDirectoryStream(Cache.executable("native"), "libbasinstep-*.so")) {
            NativeLibrary found = null;
            for (Path file : files) if (isLoaded(file)) found = NativeLibrary.getInstance(file.toString());
            return found;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static boolean isLoaded(Path file) throws IOException {
        return Files.readString(Path.of("/proc/self/maps"))
                .contains(file.getFileName().toString());
    }

    private static float[] values(int seed, int n) {
        float[] v = Draws.normal(seed, n);
        for (int i = 0; i < ODD.length; i++) v[i * 97 + seed] = ODD[i];
        return v;
    }

    private static void write(CpuDevice device, Memory to, int seed) {
        int n = (int) (to.bytes() / 4);
        ByteBuffer bytes = ByteBuffer.allocateDirect(4 * n).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values(seed, n));
        device.upload(to, 0, bytes);
    }

    private static int[] bits(CpuDevice device, Memory from) {
        ByteBuffer bytes = ByteBuffer.allocateDirect((int) from.bytes()).order(ByteOrder.nativeOrder());
        device.download(from, 0, bytes);
        int[] out = new int[bytes.capacity() / 4];
        for (int i = 0; i < out.length; i++) out[i] = canonical(bytes.getInt(4 * i));
        return out;
    }

    /** Which NaN an operation on two gives is the compiler's choice, in C and in Java. */
    private static int canonical(int bits) {
        return Float.floatToIntBits(Float.intBitsToFloat(bits));
    }

    private interface Trial {
        void run(CpuDevice device, Arenas arenas, ParameterStore store, RunState state, List<Memory> out);
    }

    /** What a trial leaves in the memory that it names, computed by C or by Java. */
    private static List<int[]> left(boolean c, Optimizer optimizer, Trial trial) {
        try (CpuDevice device = new CpuDevice(2);
                WorkerPool crew = new WorkerPool(2);
                ParameterStore store = new ParameterStore(false).trainedBy(optimizer);
                RunState state = new RunState(device, LR, ALPHA, PULL)) {
            PlanContext scope = new PlanContext(store, PlanContext.Mode.TRAIN, Precision.FP32, 1);
            Layout plain = () -> 4L * N;
            for (boolean vector : new boolean[] {false, true}) {
                Layer.Param p = new Layer.Param("p", Shape.of(N), Initializer.constant(0), vector);
                scope.at(vector ? 1 : 0, "layer" + vector).parameter(p, plain);
            }
            store.allocate(device, true);
            int seed = 1;
            List<Memory> out = new ArrayList<>();
            for (Arena a :
                    new Arena[] {Arena.PARAMS, Arena.MOMENTUM, Arena.SECOND_MOMENT, Arena.AVERAGE, Arena.GRADS}) {
                if (a == Arena.SECOND_MOMENT && optimizer.moments() < 2) continue;
                write(device, store.memory(a), seed++);
                out.add(store.memory(a));
            }
            state.start(new EpochMetrics(0, 0, 0, 0, -1));
            trial.run(device, new CpuArenas(device.guard(), crew, c), store, state, out);
            return out.stream().map(m -> bits(device, m)).toList();
        }
    }

    private static void agree(String what, Optimizer optimizer, Trial trial) {
        if (!here()) return;
        List<int[]> java = left(false, optimizer, trial);
        onEveryVersion(() -> {
            List<int[]> c = left(true, optimizer, trial);
            for (int k = 0; k < java.size(); k++) {
                for (int i = 0; i < java.get(k).length; i++) {
                    if (java.get(k)[i] != c.get(k)[i]) {
                        float expected = Float.intBitsToFloat(java.get(k)[i]);
                        assertEquals(expected, Float.intBitsToFloat(c.get(k)[i]), what + " array " + k + "[" + i + "]");
                    }
                }
            }
        });
    }

    @Test
    void everyStepHasJavasBits() {
        for (Optimizer rule : List.of(
                new Sgd(0.9, 5e-4, false), new Sgd(0.9, 5e-4, true), new SgdW(0.9, 0.1, true), new AdamW(0.05))) {
            agree(rule.toString(), rule, (device, arenas, store, state, out) -> {
                Runnable step = arenas.step(rule, store, state);
                Runnable advance = arenas.advance(state);
                for (int t = 0; t < LR.length; t++) {
                    step.run();
                    advance.run();
                }
            });
        }
    }

    @Test
    void everyStepOfACurvesPointHasJavasBits() {
        for (boolean nesterov : new boolean[] {false, true}) {
            Sgd rule = new Sgd(0.9, 5e-4, nesterov);
            agree("bend", rule, (device, arenas, store, state, out) -> {
                Memory point = device.allocate(store.paramBytes());
                Memory momentum = device.allocate(store.paramBytes());
                write(device, point, 8);
                write(device, momentum, 9);
                try (Coefficients c = new Coefficients(device, null, new double[] {0.25, 0.75})) {
                    arenas.stepCurvePoint(rule, store, point, momentum, c, 1, state)
                            .run();
                }
                out.addAll(List.of(point, momentum));
            });
        }
    }

    @Test
    void everySumHasJavasBits() {
        double[][] shares = {{0, 0, 0}, {1, 0, 0}, {0, -0.0, 1}, {0.3, 0.3, 0.4}, {0.5, 0, -2}};
        for (double[] share : shares) {
            agree("combine", new Sgd(), (device, arenas, store, state, out) -> {
                Memory to = device.allocate(store.paramBytes());
                write(device, to, 7);
                try (Coefficients c = new Coefficients(device, null, share)) {
                    arenas.weightedSum(out.subList(0, 3), c, to).run();
                }
                out.add(to);
            });
        }
    }

    @Test
    void whereThereIsNoneOrItDoesNotLoadItSaysWhatToDo() {
        String none = StepKernel.load("/io/basin/kernels/no-such.so");
        assertNotNull(none);
        assertTrue(none.contains("install a C compiler"), none);
        String text = StepKernel.load("/io/basin/kernels/basin.cuh");
        assertNotNull(text);
        assertTrue(text.startsWith("the C kernel cannot be loaded: "), text);
    }
}
