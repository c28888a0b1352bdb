package io.basin.cuda;

import static jcuda.driver.CUevent_flags.CU_EVENT_DISABLE_TIMING;
import static jcuda.driver.JCudaDriver.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import jcuda.Pointer;
import jcuda.driver.CUevent;

/**
 * Pinned host memory that all copies between host and device go through.
 *
 * <p>Only pinned memory can be copied in the stream's order without waiting, and only memory of our own stays where it is until
 * the copy is done. Uploads take pieces in turn; a piece is waited for only where it comes round again before its copy is known
 * to be done, which happens within uploads of megabytes and never with what an epoch uploads.
 */
final class Staging implements AutoCloseable {
    private static final int PIECE = 256 << 10;
    private static final int PIECES = 16;

    private final CudaContext context;
    private final Undo undo = new Undo();
    private final Pointer memory = new Pointer();
    private final ByteBuffer bytes;
    private final CUevent[] copied = new CUevent[PIECES];
    private final boolean[] pending = new boolean[PIECES];
    private int next;

    Staging(CudaContext context) {
        this.context = context;
        try {
            Check.driver(cuMemAllocHost(memory, (long) PIECE * PIECES), "cuMemAllocHost");
            undo.add("cuMemFreeHost", () -> cuMemFreeHost(memory));
            bytes = memory.getByteBuffer(0, (long) PIECE * PIECES).order(ByteOrder.nativeOrder());
            for (int i = 0; i < PIECES; i++) {
                CUevent event = new CUevent();
                Check.driver(cuEventCreate(event, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
                undo.add("cuEventDestroy", () -> cuEventDestroy(event));
                copied[i] = event;
            }
            // What is in flight may still read or write this memory.
            undo.add("cuStreamSynchronize", () -> cuStreamSynchronize(context.stream));
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    /** Copies all that remains of {@code from}, which may change as soon as this returns. */
    void upload(Address to, ByteBuffer from) {
        ByteBuffer rest = from.duplicate();
        for (long at = 0; rest.hasRemaining(); at += PIECE) {
            int n = Math.min(PIECE, rest.remaining());
            int piece = take();
            bytes.slice(piece * PIECE, n).put(rest.slice(rest.position(), n));
            rest.position(rest.position() + n);
            Pointer source = memory.withByteOffset((long) piece * PIECE);
            Check.driver(cuMemcpyHtoDAsync(to.plus(at), source, n, context.stream), "cuMemcpyHtoDAsync");
            Check.driver(cuEventRecord(copied[piece], context.stream), "cuEventRecord");
            pending[piece] = true;
        }
    }

    private int take() {
        int piece = next;
        next = (next + 1) % PIECES;
        if (pending[piece]) {
            Check.driver(cuEventSynchronize(copied[piece]), "cuEventSynchronize");
            pending[piece] = false;
        }
        return piece;
    }

    /**
     * Waits for the device and fills all that remains of {@code to}. The stream runs in order, so uploads that still lie in
     * these pieces are out before anything comes in.
     */
    void download(Address from, ByteBuffer to) {
        ByteBuffer rest = to.duplicate();
        for (long at = 0; rest.hasRemaining(); at += (long) PIECE * PIECES) {
            int n = Math.min(PIECE * PIECES, rest.remaining());
            Check.driver(cuMemcpyDtoHAsync(memory, from.plus(at), n, context.stream), "cuMemcpyDtoHAsync");
            context.synchronize();
            java.util.Arrays.fill(pending, false);
            rest.put(bytes.slice(0, n));
        }
    }

    @Override
    public void close() {
        undo.close();
    }
}
