package io.basin.average;

import com.sun.jna.Pointer;
import io.basin.device.Cache;
import io.basin.device.ForeignArrays;
import io.basin.io.Dtype;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.List;

/**
 * The passes in plain Java, on one thread; the only class here that touches the arrays' memory.
 *
 * <p>HotSpot vectorises loops over float[] but not over direct buffers. So what is not a float[] passes through a small one, 256
 * elements at a time. A float[] goes by as many, for HotSpot compiles a loop better that is called often than one that runs once.
 */
final class HostArrays implements ForeignArrays {
    private static final int TILE = 256;

    private final List<Array> arrays;
    private final FloatBuffer[] floats;
    private final ShortBuffer[] halves;
    private final float[] tile = new float[TILE];
    private final short[] narrow = new short[TILE];
    /** (arena, array, element) */
    private final float[][][] arenas;

    HostArrays(List<Array> arrays, int arenas) {
        if (arrays.stream().anyMatch(a -> a.address() != 0)) Cache.showToLoaders();
        this.arrays = arrays;
        floats = new FloatBuffer[arrays.size()];
        halves = new ShortBuffer[arrays.size()];
        this.arenas = new float[arenas][arrays.size()][];
        for (int i = 0; i < arrays.size(); i++) {
            Array array = arrays.get(i);
            if (array.address() != 0) {
                ByteBuffer all = new Pointer(array.address())
                        .getByteBuffer(0, (long) array.count() * array.type().bytes())
                        .order(ByteOrder.nativeOrder());
                if (array.type() == Dtype.F32) floats[i] = all.asFloatBuffer();
                else halves[i] = all.asShortBuffer();
            }
            for (float[][] arena : this.arenas) arena[i] = new float[array.count()];
        }
    }

    @Override
    public void run(Pass pass, int x, int y, float p, float q) {
        for (int i = 0; i < arrays.size(); i++) {
            Array array = arrays.get(i);
            float[] ax = arenas[x][i];
            float[] ay = arenas[y][i];
            for (int at = 0; at < array.count(); at += TILE) {
                int n = Math.min(TILE, array.count() - at);
                if (array.owner() instanceof float[] w) {
                    pass(pass, w, at, ax, ay, at, n, p, q);
                    continue;
                }
                load(i, at, n);
                pass(pass, tile, 0, ax, ay, at, n, p, q);
                if (pass.ordinal() >= Pass.PULL.ordinal()) store(i, at, n);
            }
        }
    }

    private void load(int i, int at, int n) {
        if (floats[i] != null) {
            floats[i].get(at, tile, 0, n);
            return;
        }
        halves[i].get(at, narrow, 0, n);
        boolean bf16 = arrays.get(i).type() == Dtype.BF16;
        for (int j = 0; j < n; j++) tile[j] = bf16 ? Half.ofBf16(narrow[j]) : Half.ofF16(narrow[j]);
    }

    private void store(int i, int at, int n) {
        if (floats[i] != null) {
            floats[i].put(at, tile, 0, n);
            return;
        }
        boolean bf16 = arrays.get(i).type() == Dtype.BF16;
        for (int j = 0; j < n; j++) narrow[j] = bf16 ? Half.toBf16(tile[j]) : Half.toF16(tile[j]);
        halves[i].put(at, narrow, 0, n);
    }

    /** Elements of w from {@code from} on belong to those from {@code at} on of x and y. */
    private static void pass(Pass pass, float[] w, int from, float[] x, float[] y, int at, int n, float p, float q) {
        switch (pass) {
            case COPY -> {
                for (int i = 0; i < n; i++) x[at + i] = w[from + i] + 0.0f;
            }
            case AVERAGE -> {
                for (int i = 0; i < n; i++) x[at + i] = x[at + i] + p * (w[from + i] - x[at + i]);
            }
            case MEAN -> {
                for (int i = at; i < at + n; i++) x[i] = p == 1 ? y[i] + 0.0f : x[i] + p * (y[i] - x[i]);
            }
            case MOMENT -> {
                for (int i = 0; i < n; i++) {
                    float d = w[from + i] - x[at + i];
                    y[at + i] = p == 0 ? 0 : p * y[at + i] + q * (d * d);
                }
            }
            case DEVIATION -> {
                for (int i = 0; i < n; i++) y[at + i] = w[from + i] - x[at + i];
            }
            case PULL -> {
                for (int i = 0; i < n; i++)
                    w[from + i] = p == 1 ? x[at + i] : w[from + i] + p * (x[at + i] - w[from + i]);
            }
            case EXCHANGE -> {
                for (int i = 0; i < n; i++) {
                    float before = w[from + i];
                    w[from + i] = x[at + i];
                    x[at + i] = before;
                }
            }
            case SHOW -> {
                System.arraycopy(w, from, y, at, n);
                System.arraycopy(x, at, w, from, n);
            }
            case HIDE -> System.arraycopy(y, at, w, from, n);
        }
    }

    @Override
    public ByteBuffer read(int arena, int array) {
        float[] values = arenas[arena][array];
        ByteBuffer bytes = ByteBuffer.allocate(4 * values.length).order(ByteOrder.nativeOrder());
        bytes.asFloatBuffer().put(values);
        return bytes;
    }

    @Override
    public void write(int arena, int array, ByteBuffer from) {
        from.asFloatBuffer().get(arenas[arena][array]);
    }

    @Override
    public void close() {
        // The garbage collector frees the arenas.
    }
}
