package io.basin.cuda;

import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR;
import static jcuda.driver.CUdevice_attribute.CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT;
import static jcuda.driver.JCudaDriver.*;

import io.basin.device.Cache;
import io.basin.device.DeviceException;
import io.basin.device.ForeignArrays;
import io.basin.io.Dtype;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUdevice;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;
import jcuda.driver.CUstreamCaptureStatus;

/** The passes of {@code kernels/arrays.cu} in a context and on a stream of others: one launch for all arrays. */
final class CudaForeignArrays implements ForeignArrays {
    private static final int PIECE = 1 << 14;
    private static final int TABLE_ROW = 24;
    private static final int STAGING = 1 << 20;
    /** Places of what changes among the kernel's arguments. */
    private static final int PASS = 4;

    private static final int X = 5;
    private static final int Y = 6;
    private static final int P = 7;
    private static final int Q = 8;

    private final Closer undo = new Closer();
    private final CUstream stream;
    private final List<Array> arrays;
    /** Where each array begins in an arena, in floats; then an arena's size. */
    private final long[] offsets;

    private final DevicePointer arenas = new DevicePointer();
    private final Launch launch;
    private final int[] capturing = {0};
    private final ByteBuffer staging = ByteBuffer.allocateDirect(STAGING).order(ByteOrder.nativeOrder());

    CudaForeignArrays(long stream, List<Array> arrays, int count) {
        this.arrays = arrays;
        offsets = new long[arrays.size() + 1];
        for (int i = 0; i < arrays.size(); i++) offsets[i + 1] = offsets[i] + (arrays.get(i).count() + 63L) / 64 * 64;
        Cache.showToLoaders();
        Libraries.DRIVER.find();
        Libraries.NVRTC.find();
        Natives.loadDriver();
        this.stream = FusedStep.stream(stream);
        CUdevice device = FusedStep.currentDevice();
        arrays.forEach(CudaForeignArrays::requireAllocated);
        try {
            ByteBuffer table = pieces();
            DevicePointer pieces = new DevicePointer();
            allocate(pieces, table.capacity());
            Check.driver(cuMemcpyHtoD(pieces, Pointer.to(table), table.capacity()), "cuMemcpyHtoD");
            // The copy may return before its end, and the caller's stream would not wait for it.
            Check.driver(cuStreamSynchronize(null), "cuStreamSynchronize");
            long bytes = 4 * offsets[arrays.size()] * count;
            allocate(arenas, bytes);
            Check.driver(cuMemsetD8Async(arenas, (byte) 0, bytes, this.stream), "cuMemsetD8Async");
            Kernels kernels = new Kernels(
                    10 * FusedStep.attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR)
                            + FusedStep.attribute(device, CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MINOR),
                    FusedStep.attribute(device, CU_DEVICE_ATTRIBUTE_MULTIPROCESSOR_COUNT),
                    List.of("arrays.cu"));
            undo.add(kernels);
            undo.add("cuStreamSynchronize", () -> cuStreamSynchronize(this.stream));
            int rows = table.capacity() / TABLE_ROW;
            launch = new Launch(this.stream, kernels.get("arrays.cu", "arrays"), "arrays")
                    .shape(kernels.blocks(rows, 1), 1, 256, 1)
                    .arg(new KernelArg(pieces))
                    .arg(rows)
                    .arg(new KernelArg(arenas))
                    .arg(offsets[arrays.size()]);
            launch.arg(0).arg(0).arg(0).arg(0f).arg(0f);
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    /** What the driver says of an address: memory of other kinds than cuMemAlloc's it may not know, and that is let pass. */
    private static void requireAllocated(Array array) {
        DevicePointer base = new DevicePointer();
        long[] bytes = {0};
        int status = cuMemGetAddressRange(base, bytes, DevicePointer.of(array.address()));
        long needed = (long) array.count() * array.type().bytes();
        long there = base.value() + bytes[0] - array.address();
        if (status == CUresult.CUDA_SUCCESS && there < needed) {
            throw new IllegalArgumentException("`" + array.name() + "` takes " + needed
                    + " bytes, but its device memory ends " + there + " bytes after its address");
        }
    }

    private void allocate(DevicePointer to, long bytes) {
        Check.driver(cuMemAlloc(to, bytes), "cuMemAlloc");
        undo.add("cuMemFree", () -> cuMemFree(to));
    }

    private ByteBuffer pieces() {
        List<long[]> rows = new ArrayList<>();
        for (int i = 0; i < arrays.size(); i++) {
            Array a = arrays.get(i);
            long type = a.type() == Dtype.F32 ? 0 : a.type() == Dtype.BF16 ? 1 : 2;
            for (int at = 0; at < a.count(); at += PIECE) {
                long n = Math.min(PIECE, a.count() - at);
                rows.add(new long[] {a.address() + (long) at * a.type().bytes(), offsets[i] + at, n | type << 32});
            }
        }
        ByteBuffer table =
                ByteBuffer.allocateDirect(Math.multiplyExact(TABLE_ROW, rows.size())).order(ByteOrder.nativeOrder());
        for (long[] row : rows) for (long word : row) table.putLong(word);
        return table.clear();
    }

    @Override
    public void run(Pass pass, int x, int y, float p, float q) {
        Check.driver(cuStreamIsCapturing(stream, capturing), "cuStreamIsCapturing");
        if (capturing[0] != CUstreamCaptureStatus.CU_STREAM_CAPTURE_STATUS_NONE) {
            throw new DeviceException("the stream is being captured, and a graph would keep this step's alpha for ever:"
                    + " average outside the graph, or with FusedStep inside");
        }
        launch.set(PASS, pass.ordinal());
        launch.set(X, x);
        launch.set(Y, y);
        launch.set(P, Float.floatToRawIntBits(p));
        launch.set(Q, Float.floatToRawIntBits(q));
        launch.run();
    }

    @Override
    public void read(int arena, int array, ByteBuffer to) {
        Check.driver(cuStreamSynchronize(stream), "cuStreamSynchronize");
        long bytes = 4L * arrays.get(array).count();
        for (long at = 0; at < bytes; at += STAGING) {
            int n = (int) Math.min(STAGING, bytes - at);
            Check.driver(cuMemcpyDtoH(Pointer.to(staging), place(arena, array, at), n), "cuMemcpyDtoH");
            to.put(staging.clear().limit(n));
        }
    }

    @Override
    public void write(int arena, int array, ByteBuffer from) {
        Check.driver(cuStreamSynchronize(stream), "cuStreamSynchronize");
        long bytes = 4L * arrays.get(array).count();
        for (long at = 0; at < bytes; at += STAGING) {
            int n = (int) Math.min(STAGING, bytes - at);
            staging.clear().put(from.slice(from.position(), n));
            from.position(from.position() + n);
            Check.driver(cuMemcpyHtoD(place(arena, array, at), Pointer.to(staging), n), "cuMemcpyHtoD");
            Check.driver(cuStreamSynchronize(null), "cuStreamSynchronize");
        }
    }

    private DevicePointer place(int arena, int array, long bytes) {
        return arenas.plus(4 * (offsets[arrays.size()] * arena + offsets[array]) + bytes);
    }

    @Override
    public void close() {
        undo.close();
    }
}
