package io.basin.cuda;

import static jcuda.driver.JCudaDriver.*;

import io.basin.device.DeviceException;
import io.basin.device.ForeignArrays;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import jcuda.Pointer;
import jcuda.driver.CUstreamCaptureStatus;

/** The passes of {@code kernels/arrays.cu} in a context and on a stream of others: one launch for all arrays. */
final class CudaForeignArrays extends CudaForeign implements ForeignArrays {
    private static final int PIECE = 1 << 14;
    private static final int TABLE_ROW = 24;
    private static final int STAGING = 1 << 20;
    /** Places of the kernel's arguments that change. */
    private static final int PASS = 4;

    private static final int X = 5;
    private static final int Y = 6;
    private static final int P = 7;
    private static final int Q = 8;

    private final List<Array> arrays;
    /** The offset of each array in an arena, in floats; then an arena's size. */
    private final long[] offsets;

    private final DevicePointer arenas = new DevicePointer();
    final Launch launch;
    private final int[] capturing = {0};
    private final ByteBuffer staging = CudaArenas.direct(STAGING);

    CudaForeignArrays(long stream, List<Array> arrays, int count) {
        super(stream, arrays);
        this.arrays = arrays;
        offsets = new long[arrays.size() + 1];
        for (int i = 0; i < arrays.size(); i++)
            offsets[i + 1] = offsets[i] + (arrays.get(i).count() + 63L) / 64 * 64;
        try {
            ByteBuffer table = pieces();
            DevicePointer pieces = put(table);
            long bytes = 4 * offsets[arrays.size()] * count;
            allocate(arenas, bytes);
            Check.driver(cuMemsetD8Async(arenas, (byte) 0, bytes, this.stream), "cuMemsetD8Async");
            Kernels kernels = kernels(List.of("arrays.cu"));
            int rows = table.capacity() / TABLE_ROW;
            launch = kernels.launch("arrays.cu", "arrays")
                    .shape(kernels.blocks(rows, 1), 1, 256, 1)
                    .args(pieces, rows, arenas, offsets[arrays.size()], 0, 0, 0, 0, 0);
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    private ByteBuffer pieces() {
        List<long[]> rows = new ArrayList<>();
        for (int i = 0; i < arrays.size(); i++) {
            Array a = arrays.get(i);
            long type = a.kind();
            for (int at = 0; at < a.count(); at += PIECE) {
                long n = Math.min(PIECE, a.count() - at);
                rows.add(new long[] {a.address() + (long) at * a.type().bytes(), offsets[i] + at, n | type << 32});
            }
        }
        return table(TABLE_ROW, rows);
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

    private DevicePointer place(int arena, int array, long bytes) {
        return arenas.plus(4 * (offsets[arrays.size()] * arena + offsets[array]) + bytes);
    }
}
