package io.basin.cpu;

import com.sun.jna.Pointer;
import io.basin.Nullable;
import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.device.ForeignArrays;
import io.basin.io.Dtype;
import io.basin.io.Half;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.ShortBuffer;
import java.util.List;
import java.util.function.IntConsumer;

/**
 * The passes over arrays in the host's memory, shared out among threads where they are worth it: by {@code kernels/step.c} on arrays
 * with an address, by plain Java on a {@code float[]} and where the C kernel is not there.
 *
 * <p>HotSpot vectorises loops over float[] but not over direct buffers. So other arrays pass through a small float[], 256
 * elements at a time. A float[] goes by as many, as HotSpot compiles a loop better that is called often than one that runs once.
 */
final class CpuForeignArrays implements ForeignArrays, IntConsumer {
    private static final int TILE = 256;
    /** Elements for which other threads are not woken. */
    private static final int FEW = 1 << 18;

    private static final class Tiles {
        final float[] wide = new float[TILE];
        final short[] narrow = new short[TILE];
    }

    private final List<Array> arrays;
    private final boolean[] c;
    private final @Nullable FloatBuffer[] floats;
    private final @Nullable ShortBuffer[] halves;
    private final ThreadLocal<Tiles> tiles = ThreadLocal.withInitial(Tiles::new);
    /** (arena, array, element) of arrays that Java passes over. */
    private final float[][][] arenas;

    /** Of the others, in floats: where an array begins in an arena; then an arena's size. */
    private final long[] offsets;

    private final long memory;
    private final WorkerPool crew;
    private final int piece;
    /** (piece): its array, and its first element. */
    private final int[] array;

    private final int[] begin;

    // The pass that is being done.
    private int pass;
    private int x;
    private int y;
    private float p;
    private float q;

    /** @param kernel whether C may do it */
    CpuForeignArrays(List<Array> arrays, int count, int threads, boolean kernel) {
        boolean addresses = arrays.stream().anyMatch(a -> a.address() != 0);
        if (addresses) Cache.showToLoaders();
        this.arrays = arrays;
        int n = arrays.size();
        c = new boolean[n];
        floats = new FloatBuffer[n];
        halves = new ShortBuffer[n];
        arenas = new float[count][n][];
        offsets = new long[n + 1];
        long all = 0;
        for (int i = 0; i < n; i++) {
            Array a = arrays.get(i);
            all += a.count();
            c[i] = kernel && a.address() != 0;
            offsets[i + 1] = offsets[i] + (c[i] ? (a.count() + 63L) / 64 * 64 : 0);
            if (!c[i]) prepare(i, a);
        }
        long bytes = 4 * offsets[n] * count;
        memory = bytes == 0 ? 0 : Pages.allocate(bytes);
        if (bytes > 0 && memory == 0) throw new DeviceException("no memory for " + (bytes >> 20) + " MiB of averages");
        crew = new WorkerPool(all < FEW ? 1 : threads);
        piece = CpuUpdate.piece(all, crew.threads());
        int pieces = arrays.stream().mapToInt(a -> (a.count() - 1) / piece + 1).sum();
        array = new int[pieces];
        begin = new int[pieces];
        for (int i = 0, k = 0; i < n; i++) {
            for (int at = 0; at < arrays.get(i).count(); at += piece) {
                array[k] = i;
                begin[k++] = at;
            }
        }
    }

    private void prepare(int i, Array a) {
        for (float[][] arena : arenas) arena[i] = new float[a.count()];
        if (a.address() == 0) return;
        ByteBuffer all = new Pointer(a.address())
                .getByteBuffer(0, (long) a.count() * a.type().bytes())
                .order(ByteOrder.nativeOrder());
        if (a.type() == Dtype.F32) floats[i] = all.asFloatBuffer();
        else halves[i] = all.asShortBuffer();
    }

    @Override
    public void run(Pass pass, int x, int y, float p, float q) {
        this.pass = pass.ordinal();
        this.x = x;
        this.y = y;
        this.p = p;
        this.q = q;
        crew.run(array.length, this);
    }

    @Override
    public void accept(int number) {
        int i = array[number];
        Array a = arrays.get(i);
        int from = begin[number];
        int end = (int) Math.min(a.count(), (long) from + piece);
        if (c[i]) {
            long w = a.address() + (long) from * a.type().bytes();
            int large = StepKernel.large(4 * offsets[arrays.size()]);
            StepKernel.basin_pass(pass, a.kind(), w, place(x, i, from), place(y, i, from), end - from, p, q, large);
            return;
        }
        Pass java = PASSES[pass];
        for (int at = from; at < end; at += TILE) tile(java, a, i, at, Math.min(TILE, end - at));
    }

    private static final Pass[] PASSES = Pass.values();

    /** The address of an arena's element. */
    private long place(int arena, int i, int at) {
        return memory + 4 * (arena * offsets[arrays.size()] + offsets[i] + at);
    }

    private void tile(Pass pass, Array a, int i, int at, int n) {
        if (a.owner() instanceof float[] w && a.address() == 0) {
            pass(pass, w, at, arenas[x][i], arenas[y][i], at, n, p, q);
            return;
        }
        Tiles t = tiles.get();
        load(t, i, at, n);
        pass(pass, t.wide, 0, arenas[x][i], arenas[y][i], at, n, p, q);
        if (pass.ordinal() >= Pass.PULL.ordinal()) store(t, i, at, n);
    }

    private void load(Tiles t, int i, int at, int n) {
        FloatBuffer wide = floats[i];
        ShortBuffer narrow = halves[i];
        if (wide != null) wide.get(at, t.wide, 0, n);
        if (narrow == null) return;
        narrow.get(at, t.narrow, 0, n);
        boolean bf16 = arrays.get(i).type() == Dtype.BF16;
        for (int j = 0; j < n; j++) t.wide[j] = bf16 ? Half.ofBf16(t.narrow[j]) : Half.ofF16(t.narrow[j]);
    }

    private void store(Tiles t, int i, int at, int n) {
        FloatBuffer wide = floats[i];
        ShortBuffer narrow = halves[i];
        if (wide != null) wide.put(at, t.wide, 0, n);
        if (narrow == null) return;
        boolean bf16 = arrays.get(i).type() == Dtype.BF16;
        for (int j = 0; j < n; j++) t.narrow[j] = bf16 ? Half.toBf16(t.wide[j]) : Half.toF16(t.wide[j]);
        narrow.put(at, t.narrow, 0, n);
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
                pass(p == 1 ? Pass.COPY : Pass.AVERAGE, w, from, x, y, at, n, p, q);
                for (int i = 0; i < n; i++) {
                    float d = w[from + i] - x[at + i];
                    y[at + i] = p == 1 ? 0 : (1 - p) * y[at + i] + q * (d * d);
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
        int bytes = 4 * arrays.get(array).count();
        ByteBuffer read = ByteBuffer.allocate(bytes).order(ByteOrder.nativeOrder());
        if (c[array]) read.put(averages(arena, array)).flip();
        else read.asFloatBuffer().put(arenas[arena][array]);
        return read;
    }

    @Override
    public void write(int arena, int array, ByteBuffer from) {
        if (c[array]) averages(arena, array).put(from.duplicate());
        else from.asFloatBuffer().get(arenas[arena][array]);
    }

    private ByteBuffer averages(int arena, int array) {
        return new Pointer(place(arena, array, 0))
                .getByteBuffer(0, 4L * arrays.get(array).count());
    }

    @Override
    public void close() {
        crew.close();
        if (memory != 0) Pages.free(memory);
    }
}
