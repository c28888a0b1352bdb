package io.basin.cuda;

import static jcuda.driver.JCudaDriver.*;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * What all large copies between host and device go through: pinned memory of our own, which stays where it is until the copy is
 * done. Uploads take pieces in turn; a piece is waited for only where it comes round again before its copy is known to be done,
 * which happens within uploads of megabytes and never with what an epoch uploads.
 */
final class Staging implements AutoCloseable {
    private static final int PIECE = 256 << 10;
    private static final int PIECES = 16;

    private final CudaContext context;
    private final Pinned pinned;
    private final boolean[] pending = new boolean[PIECES];
    private int next;

    Staging(CudaContext context) {
        this.context = context;
        pinned = new Pinned(context.stream, PIECES, PIECE);
    }

    /** Copies all that remains of {@code from}, which may change as soon as this returns. */
    void upload(DevicePointer to, ByteBuffer from) {
        ByteBuffer rest = from.duplicate();
        for (long at = 0; rest.hasRemaining(); at += PIECE) {
            int n = Math.min(PIECE, rest.remaining());
            int piece = take();
            pinned.bytes(piece, n).put(rest.slice(rest.position(), n));
            rest.position(rest.position() + n);
            Check.driver(cuMemcpyHtoDAsync(to.plus(at), pinned.pointer(piece), n, context.stream), "cuMemcpyHtoDAsync");
            pinned.mark(piece);
            pending[piece] = true;
        }
    }

    private int take() {
        int piece = next;
        next = (next + 1) % PIECES;
        if (pending[piece]) {
            pinned.await(piece);
            pending[piece] = false;
        }
        return piece;
    }

    /**
     * Waits for the device and fills all that remains of {@code to}. The stream runs in order, so uploads that still lie in
     * these pieces are out before anything comes in.
     */
    void download(DevicePointer from, ByteBuffer to) {
        ByteBuffer rest = to.duplicate();
        for (long at = 0; rest.hasRemaining(); at += (long) PIECE * PIECES) {
            int n = Math.min(PIECE * PIECES, rest.remaining());
            Check.driver(cuMemcpyDtoHAsync(pinned.pointer(0), from.plus(at), n, context.stream), "cuMemcpyDtoHAsync");
            context.synchronize();
            Arrays.fill(pending, false);
            rest.put(pinned.bytes(0, n));
        }
    }

    @Override
    public void close() {
        pinned.close();
    }
}
