package io.basin.cuda;

import static jcuda.driver.CUevent_flags.CU_EVENT_DISABLE_TIMING;
import static jcuda.driver.JCudaDriver.*;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import jcuda.Pointer;
import jcuda.driver.CUevent;
import jcuda.driver.CUresult;
import jcuda.driver.CUstream;

/**
 * Pinned host memory in pieces, each with an event that says when the copy from or to it is done: only pinned memory can be
 * copied in the stream's order without waiting.
 */
final class Pinned implements AutoCloseable {
    private final CUstream stream;
    private final int piece;
    private final Closer undo = new Closer();
    private final Pointer memory = new Pointer();
    private final ByteBuffer bytes;
    private final CUevent[] copied;
    /** Pieces whose copy is not known to be done. */
    private final boolean[] pending;

    private int next;

    Pinned(CUstream stream, int pieces, int piece) {
        this.stream = stream;
        this.piece = piece;
        copied = new CUevent[pieces];
        pending = new boolean[pieces];
        long size = (long) piece * pieces;
        try {
            Check.driver(cuMemAllocHost(memory, size), "cuMemAllocHost");
            undo.add("cuMemFreeHost", () -> cuMemFreeHost(memory));
            bytes = memory.getByteBuffer(0, size).order(ByteOrder.nativeOrder());
            for (int i = 0; i < pieces; i++) {
                CUevent event = new CUevent();
                Check.driver(cuEventCreate(event, CU_EVENT_DISABLE_TIMING), "cuEventCreate");
                undo.add("cuEventDestroy", () -> cuEventDestroy(event));
                copied[i] = event;
            }
            // Copies in flight may still read or write this memory.
            undo.add("cuStreamSynchronize", () -> cuStreamSynchronize(stream));
        } catch (RuntimeException e) {
            undo.close();
            throw e;
        }
    }

    /** For the driver; pieces lie one behind the other. */
    Pointer pointer(int i) {
        return memory.withByteOffset((long) i * piece);
    }

    /** For the host: {@code length} bytes from the beginning of a piece. */
    ByteBuffer bytes(int i, int length) {
        return bytes.slice(i * piece, length).order(ByteOrder.nativeOrder());
    }

    /** The copy of this piece has just been enqueued. */
    void mark(int i) {
        Check.driver(cuEventRecord(copied[i], stream), "cuEventRecord");
        pending[i] = true;
    }

    /** The pieces in turn; waits only where one comes round again before its copy is known to be done. */
    int take() {
        int piece = next;
        next = (next + 1) % copied.length;
        await(piece);
        return piece;
    }

    /** Waits until the copy that was last marked is done. */
    void await(int i) {
        if (!pending[i]) return;
        // Most often it was done long ago, and asking does not put the thread to sleep.
        int status = cuEventQuery(copied[i]);
        if (status == CUresult.CUDA_ERROR_NOT_READY) Check.driver(cuEventSynchronize(copied[i]), "cuEventSynchronize");
        else Check.driver(status, "cuEventQuery");
        pending[i] = false;
    }

    /** All copies are known to be done. */
    void clear() {
        Arrays.fill(pending, false);
    }

    @Override
    public void close() {
        undo.close();
    }
}
