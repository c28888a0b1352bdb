package io.basin.cuda;

import static jcuda.driver.JCudaDriver.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;

/**
 * Pinned memory of our own for all copies between host and device, which stays where it is until the copy is
 * done. Uploads take pieces in turn; a piece is waited for only where it comes round again before its copy is known to be done,
 * which happens within uploads of megabytes and never with those of an epoch.
 *
 * <p>Small copies to the host are not waited for until they are looked at: each goes to a piece of its own, and one that comes
 * round again is first emptied into its reading.
 */
final class Staging implements AutoCloseable {
    private static final int PIECE = 256 << 10;
    private static final int PIECES = 16;
    /** Most bytes of a reading. */
    private static final int READING = 256;

    private final CudaContext context;
    private final Closer undo = new Closer();
    private final Pinned pinned;
    private final Pinned small;
    private final Reading[] expected = new Reading[PIECES];

    Staging(CudaContext context) {
        this.context = context;
        try {
            pinned = undo.add(new Pinned(context.stream, PIECES, PIECE));
            small = undo.add(new Pinned(context.stream, PIECES, READING));
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    /** Copies all that remains of {@code from}, which may change as soon as this returns. */
    void upload(DevicePointer to, ByteBuffer from) {
        ByteBuffer rest = from.duplicate();
        for (long at = 0; rest.hasRemaining(); at += PIECE) {
            int n = Math.min(PIECE, rest.remaining());
            int piece = pinned.take();
            pinned.bytes(piece, n).put(rest.slice(rest.position(), n));
            rest.position(rest.position() + n);
            Check.driver(cuMemcpyHtoDAsync(to.plus(at), pinned.pointer(piece), n, context.stream), "cuMemcpyHtoDAsync");
            pinned.mark(piece);
        }
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
            pinned.clear();
            rest.put(pinned.bytes(0, n));
        }
    }

    /** Begins a copy and goes on. */
    Supplier<ByteBuffer> read(DevicePointer from, int bytes) {
        if (bytes > READING) {
            throw new IllegalArgumentException("a reading has at most " + READING + " bytes, not " + bytes);
        }
        int piece = small.take();
        if (expected[piece] != null) expected[piece].get();
        Check.driver(cuMemcpyDtoHAsync(small.pointer(piece), from, bytes, context.stream), "cuMemcpyDtoHAsync");
        small.mark(piece);
        expected[piece] = new Reading(piece, bytes);
        return expected[piece];
    }

    private final class Reading implements Supplier<ByteBuffer> {
        private final int piece;
        private final ByteBuffer bytes;

        Reading(int piece, int length) {
            this.piece = piece;
            bytes = ByteBuffer.allocate(length).order(ByteOrder.nativeOrder());
        }

        @Override
        public ByteBuffer get() {
            if (expected[piece] == this) {
                small.await(piece);
                bytes.put(0, small.bytes(piece, bytes.capacity()), 0, bytes.capacity());
                expected[piece] = null;
            }
            return bytes;
        }
    }

    @Override
    public void close() {
        undo.close();
    }
}
