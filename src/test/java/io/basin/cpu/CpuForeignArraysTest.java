package io.basin.cpu;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.sun.jna.Memory;
import com.sun.jna.Pointer;
import io.basin.device.Draws;
import io.basin.device.ForeignArrays.Array;
import io.basin.device.ForeignArrays.Pass;
import io.basin.io.Dtype;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Every pass of {@code kernels/step.c} over arrays of others has the bits of plain Java's, on one thread and on several. */
class CpuForeignArraysTest {
    private static final int[] SIZES = {1, 13, 1024 + 5, 1 << 18};

    private static ByteBuffer floats(float[] values) {
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    /** Weights and arenas after a pass over arrays of all sizes: as bytes, one array after another. */
    private static List<byte[]> after(Pass pass, Dtype type, float p, int threads, boolean kernel) {
        List<Memory> weights = new ArrayList<>();
        List<Array> arrays = new ArrayList<>();
        for (int n : SIZES) {
            Memory w = new Memory((long) n * type.bytes() + 8);
            float[] values = Draws.normal(n, n);
            for (int i = 0; i < n; i++) {
                if (type == Dtype.F32) w.setFloat(4L * i, values[i]);
                else w.setShort(2L * i, Halves.of(type, i % 7 == 0 ? values[i] * 1e-7f : values[i]));
            }
            weights.add(w);
            arrays.add(new Array("w" + n, type, n, Pointer.nativeValue(w), w));
        }
        List<byte[]> out = new ArrayList<>();
        try (CpuForeignArrays passes = new CpuForeignArrays(arrays, 2, threads, kernel)) {
            for (int i = 0; i < SIZES.length; i++) {
                passes.write(0, i, floats(Draws.normal(100 + i, SIZES[i])));
                passes.write(1, i, floats(Draws.normal(200 + i, SIZES[i])));
            }
            passes.run(pass, 0, 1, p, 0.3f);
            for (int i = 0; i < SIZES.length; i++) {
                out.add(weights.get(i).getByteArray(0, SIZES[i] * type.bytes()));
                for (int arena = 0; arena < 2; arena++)
                    out.add(passes.read(arena, i).array());
            }
        }
        return out;
    }

    @Test
    void everyPassOverEveryTypeHasJavasBits() {
        if (!StepKernelTest.here()) return;
        for (Dtype type : new Dtype[] {Dtype.F32, Dtype.BF16, Dtype.F16}) {
            for (Pass pass : Pass.values()) {
                if (pass == Pass.EXCHANGE && type != Dtype.F32) continue;
                for (float p : new float[] {0, 0.7f, 1}) {
                    List<byte[]> java = after(pass, type, p, 1, false);
                    StepKernelTest.onEveryVersion(() -> {
                        List<byte[]> c = after(pass, type, p, 2, true);
                        for (int k = 0; k < java.size(); k++) {
                            assertArrayEquals(
                                    java.get(k), c.get(k), pass + " of " + type + " with " + p + ", array " + k);
                        }
                    });
                }
            }
        }
    }

    /** The largest goes past the caches, from an address that is not a multiple of 16. */
    @Test
    void whatGoesPastTheCachesArrives() {
        if (!StepKernelTest.here()) return;
        int n = (64 << 18) + 3;
        Memory w = new Memory(4L * n + 4);
        int[] places = {0, 1, 2, 5, 1023, n / 2, n - 1};
        for (int i : places) w.setFloat(4L * i + 4, i + 7);
        Array array = new Array("w", Dtype.F32, n, Pointer.nativeValue(w) + 4, w);
        try (CpuForeignArrays passes = new CpuForeignArrays(List.of(array), 1, 2, true)) {
            passes.run(Pass.COPY, 0, 0, 1, 0);
            ByteBuffer read = passes.read(0, 0);
            for (int i : places) assertEquals((float) (i + 7), read.getFloat(4 * i));
        }
    }
}
