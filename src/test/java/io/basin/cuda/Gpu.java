package io.basin.cuda;

import static jcuda.driver.JCudaDriver.*;

import io.basin.device.DeviceException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.function.Consumer;
import jcuda.NativePointerObject;
import jcuda.Pointer;
import jcuda.driver.CUfunction;

/** A GPU, real or software, for launching one kernel at a time on arrays: what the kernels' tests and reports stand on. */
public final class Gpu implements AutoCloseable {
    /** Threads of a block wherever a kernel's header says nothing else. */
    static final int THREADS = 256;

    /** Blocks and threads of a launch. */
    record Grid(int blocksX, int blocksY, int threadsX, int threadsY) {
        /** One thread. */
        public static final Grid ONE = new Grid(1, 1, 1, 1);

        /** For kernels over (rows, channels) whose blocks take 32 channels of one slab of rows. */
        public static Grid columns(int channels, int slabs) {
            return new Grid((channels + 31) / 32, slabs, 32, 8);
        }

        /** For batch norm's kernels over (rows, channels), of elements of so many bytes. */
        static Grid rows(int rows, int channels, int bytes) {
            RowGrid g = RowGrid.of(rows, channels, bytes);
            return new Grid(g.blocks(), g.slabs(), g.lanes(), g.stripes());
        }

        Grid slabs(int slabs) {
            return new Grid(blocksX, slabs, threadsX, threadsY);
        }
    }

    private final Closer undo = new Closer();
    private final CudaContext context;
    private final Kernels kernels;

    private Gpu() {
        Libraries.require();
        Natives.load();
        context = new CudaContext();
        undo.add(context);
        kernels = new Kernels(context);
        undo.add(kernels);
    }

    /** Does the work on a GPU; where there is none, says so instead. */
    public static void run(String what, Consumer<Gpu> work) {
        try {
            Libraries.require();
        } catch (DeviceException e) {
            if (Cuda.expected()) throw e;
            System.out.println("NOT COVERED: " + what + ": " + e.getMessage());
            return;
        }
        try (Gpu gpu = new Gpu()) {
            work.accept(gpu);
        }
    }

    public String title() {
        return context.title();
    }

    /** Memory that nobody has written. */
    DevicePointer empty(long bytes) {
        DevicePointer address = new DevicePointer();
        check(cuMemAlloc(address, Math.max(1, bytes)), "cuMemAlloc");
        undo.add("cuMemFree", () -> cuMemFree(address));
        return address;
    }

    DevicePointer put(float... values) {
        ByteBuffer bytes = direct(4 * values.length);
        bytes.asFloatBuffer().put(values);
        return upload(bytes);
    }

    DevicePointer put(int... values) {
        ByteBuffer bytes = direct(4 * values.length);
        bytes.asIntBuffer().put(values);
        return upload(bytes);
    }

    DevicePointer put(double... values) {
        ByteBuffer bytes = direct(8 * values.length);
        bytes.asDoubleBuffer().put(values);
        return upload(bytes);
    }

    DevicePointer put(short... values) {
        ByteBuffer bytes = direct(2 * values.length);
        bytes.asShortBuffer().put(values);
        return upload(bytes);
    }

    DevicePointer put(byte... values) {
        return upload(direct(values.length).put(values).flip());
    }

    /** Addresses as a kernel reads them from memory. */
    DevicePointer put(DevicePointer... values) {
        ByteBuffer bytes = direct(8 * values.length);
        bytes.asLongBuffer()
                .put(Arrays.stream(values).mapToLong(DevicePointer::value).toArray());
        return upload(bytes);
    }

    /** A control block as {@link io.basin.device.RunState} lays it out. */
    DevicePointer control(long step, boolean broken, float[] lr, float[] alpha, float... pull) {
        ByteBuffer bytes = direct(64 + 4 * lr.length + 4 * alpha.length + 4 * pull.length);
        bytes.putLong(0, step).putLong(32, broken ? 1 : 0);
        for (int i = 0; i < lr.length; i++) {
            bytes.putFloat(64 + 4 * i, lr[i]);
            bytes.putFloat(64 + 4 * (lr.length + i), alpha[i]);
            if (pull.length > 0) bytes.putFloat(64 + 4 * (2 * lr.length + i), pull[i]);
        }
        return upload(bytes);
    }

    private DevicePointer upload(ByteBuffer bytes) {
        DevicePointer address = empty(bytes.capacity());
        check(cuMemcpyHtoD(address, Pointer.to(bytes), bytes.capacity()), "cuMemcpyHtoD");
        // From pageable memory it may return before the copy has arrived, and a non-blocking stream does not wait for
        // it.
        check(cuStreamSynchronize(null), "cuStreamSynchronize");
        return address;
    }

    float[] floats(DevicePointer from, int n) {
        float[] out = new float[n];
        download(from, 4 * n).asFloatBuffer().get(out);
        return out;
    }

    int[] ints(DevicePointer from, int n) {
        int[] out = new int[n];
        download(from, 4 * n).asIntBuffer().get(out);
        return out;
    }

    short[] shorts(DevicePointer from, int n) {
        short[] out = new short[n];
        download(from, 2 * n).asShortBuffer().get(out);
        return out;
    }

    double[] doubles(DevicePointer from, int n) {
        double[] out = new double[n];
        download(from, 8 * n).asDoubleBuffer().get(out);
        return out;
    }

    long[] longs(DevicePointer from, int n) {
        long[] out = new long[n];
        download(from, 8 * n).asLongBuffer().get(out);
        return out;
    }

    private ByteBuffer download(DevicePointer from, int bytes) {
        ByteBuffer out = direct(bytes);
        check(cuMemcpyDtoH(Pointer.to(out), from, bytes), "cuMemcpyDtoH");
        return out;
    }

    /** Enough blocks of {@link #THREADS} for that many threads, but few enough that threads take several turns. */
    static int blocks(long items) {
        return (int) Math.max(1, Math.min((items + THREADS - 1) / THREADS, 7));
    }

    /** Launches blocks of {@link #THREADS} and waits. */
    void launch(String file, String kernel, int blocks, Object... arguments) {
        launch(file, kernel, new Grid(blocks, 1, THREADS, 1), arguments);
    }

    /**
     * Launches and waits.
     *
     * @param arguments addresses (null for the null pointer), and numbers of the width that the kernel takes
     */
    void launch(String file, String kernel, Grid grid, Object... arguments) {
        Signature.of(Compiler.resource(file), kernel).check(arguments);
        launch(kernels.get(file, kernel), grid, arguments);
    }

    /** As {@link #launch}, of a source that is not in {@code kernels/} as it stands. */
    void launchSource(String name, String source, String kernel, int blocks, Object... arguments) {
        Signature.of(source, kernel).check(arguments);
        launch(kernels.compile(name, source, kernel), new Grid(blocks, 1, THREADS, 1), arguments);
    }

    private void launch(CUfunction function, Grid g, Object... arguments) {
        NativePointerObject[] pointers = new NativePointerObject[arguments.length];
        for (int i = 0; i < arguments.length; i++) pointers[i] = argument(arguments[i]);
        check(
                cuLaunchKernel(
                        function,
                        g.blocksX,
                        g.blocksY,
                        1,
                        g.threadsX,
                        g.threadsY,
                        1,
                        0,
                        context.stream,
                        Pointer.to(pointers),
                        null),
                "cuLaunchKernel");
        check(cuStreamSynchronize(context.stream), "cuStreamSynchronize");
    }

    private static Pointer argument(Object value) {
        if (value == null) return Pointer.to(new long[] {0});
        if (value instanceof DevicePointer a) return Pointer.to(new long[] {a.value()});
        if (value instanceof Integer i) return Pointer.to(new int[] {i});
        if (value instanceof Long l) return Pointer.to(new long[] {l});
        if (value instanceof Float f) return Pointer.to(new float[] {f});
        if (value instanceof Double d) return Pointer.to(new double[] {d});
        throw new IllegalArgumentException("a kernel takes no " + value.getClass());
    }

    private static void check(int status, String call) {
        if (status == 0) return;
        String violation = SoftGpu.present() ? SoftGpu.lastViolation() : "";
        throw new AssertionError(call + ": " + Check.driverStatus(status) + " " + violation);
    }

    private static ByteBuffer direct(int bytes) {
        return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
    }

    @Override
    public void close() {
        undo.close();
    }
}
