package io.basin.cuda;

import static jcuda.driver.JCudaDriver.*;

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
        for (int i = 0; i < arrays.size(); i++)
            offsets[i + 1] = offsets[i] + (arrays.get(i).count() + 63L) / 64 * 64;
        FusedStep.load();
        this.stream = FusedStep.stream(stream);
        CUdevice device = FusedStep.currentDevice();
        arrays.forEach(CudaForeignArrays::requireAllocated);
        try {
            ByteBuffer table = pieces();
            DevicePointer pieces = new DevicePointer();
            allocate(pieces, table.capacity());
            upload(pieces, table, table.capacity());
            long bytes = 4 * offsets[arrays.size()] * count;
            allocate(arenas, bytes);
            Check.driver(cuMemsetD8Async(arenas, (byte) 0, bytes, this.stream), "cuMemsetD8Async");
            Kernels kernels = FusedStep.kernels(this.stream, device, List.of("arrays.cu"));
            undo.add(kernels);
            undo.add("cuStreamSynchronize", () -> cuStreamSynchronize(this.stream));
            int rows = table.capacity() / TABLE_ROW;
            launch = kernels.launch("arrays.cu", "arrays")
                    .shape(kernels.blocks(rows, 1), 1, 256, 1)
                    .args(pieces, rows, arenas, offsets[arrays.size()], 0, 0, 0, 0, 0);
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    /** What the driver says of an address: memory of other kinds than cuMemAlloc's it may not know, and that is let pass. */
    private static void requireAllocated(Array array) {
        DevicePointer base = new DevicePointer();
        long[] bytes = {0};
        int status = cuMemGetAddressRange(base, bytes, new DevicePointer().plus(array.address()));
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
        ByteBuffer table = ByteBuffer.allocateDirect(Math.multiplyExact(TABLE_ROW, rows.size()))
                .order(ByteOrder.nativeOrder());
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
    public ByteBuffer read(int arena, int array) {
        ByteBuffer out = ByteBuffer.allocate(4 * arrays.get(array).count()).order(ByteOrder.nativeOrder());
        Check.driver(cuStreamSynchronize(stream), "cuStreamSynchronize");
        while (out.hasRemaining()) {
            int n = Math.min(STAGING, out.remaining());
            DevicePointer from = place(arena, array, out.position());
            Check.driver(cuMemcpyDtoH(Pointer.to(staging), from, n), "cuMemcpyDtoH");
            out.put(staging.clear().limit(n));
        }
        return out.flip();
    }

    @Override
    public void write(int arena, int array, ByteBuffer from) {
        Check.driver(cuStreamSynchronize(stream), "cuStreamSynchronize");
        for (int at = 0; at < from.limit(); at += STAGING) {
            int n = Math.min(STAGING, from.limit() - at);
            staging.clear().put(from.slice(at, n));
            upload(place(arena, array, at), staging, n);
        }
    }

    /** Waits for the copy's end: it may come later than cuMemcpyHtoD's, and the caller's stream would not wait for it. */
    private static void upload(DevicePointer to, ByteBuffer direct, int bytes) {
        Check.driver(cuMemcpyHtoD(to, Pointer.to(direct), bytes), "cuMemcpyHtoD");
        Check.driver(cuStreamSynchronize(null), "cuStreamSynchronize");
    }

    private DevicePointer place(int arena, int array, long bytes) {
        return arenas.plus(4 * (offsets[arrays.size()] * arena + offsets[array]) + bytes);
    }

    @Override
    public void close() {
        undo.close();
    }
}
