package io.basin.cuda;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoHAsync;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Supplier;

/**
 * Small copies to the host that nobody waits for until they are looked at: each goes to a pinned slot of its own. A slot that
 * comes round again is first emptied into its reading.
 */
final class AsyncReads implements AutoCloseable {
    /** Most bytes of one. */
    static final int SLOT = 256;

    private static final int SLOTS = 16;

    private final CudaContext context;
    private final Pinned pinned;
    private final Arrival[] expected = new Arrival[SLOTS];
    private int next;

    AsyncReads(CudaContext context) {
        this.context = context;
        pinned = new Pinned(context.stream, SLOTS, SLOT);
    }

    Supplier<ByteBuffer> read(DevicePointer from, int bytes) {
        if (bytes > SLOT) throw new IllegalArgumentException("a reading has at most " + SLOT + " bytes, not " + bytes);
        int slot = next;
        next = (next + 1) % SLOTS;
        if (expected[slot] != null) expected[slot].get();
        Check.driver(cuMemcpyDtoHAsync(pinned.pointer(slot), from, bytes, context.stream), "cuMemcpyDtoHAsync");
        pinned.mark(slot);
        expected[slot] = new Arrival(slot, bytes);
        return expected[slot];
    }

    private final class Arrival implements Supplier<ByteBuffer> {
        private final int slot;
        private final ByteBuffer bytes;

        Arrival(int slot, int length) {
            this.slot = slot;
            bytes = ByteBuffer.allocate(length).order(ByteOrder.nativeOrder());
        }

        @Override
        public ByteBuffer get() {
            if (expected[slot] == this) {
                pinned.await(slot);
                bytes.put(0, pinned.bytes(slot, bytes.capacity()), 0, bytes.capacity());
                expected[slot] = null;
            }
            return bytes;
        }
    }

    @Override
    public void close() {
        pinned.close();
    }
}
