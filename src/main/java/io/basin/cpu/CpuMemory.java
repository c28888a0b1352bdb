package io.basin.cpu;

import com.sun.jna.Pointer;
import io.basin.device.Guard;
import io.basin.device.Memory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;

/** Host memory at a fixed address, outside the Java heap, where oneDNN and plain Java both reach it. */
final class CpuMemory implements Memory {
    private final CpuDevice device;
    private final long bytes;
    private final Guard guard;
    private long address;

    CpuMemory(CpuDevice device, long bytes, long address) {
        this.device = device;
        guard = device.guard().of("memory of the cpu device");
        this.bytes = bytes;
        this.address = address;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    long address() {
        guard.requireOpen();
        return address;
    }

    /** A view of at most 2 GiB. */
    ByteBuffer bytes(long offset, long length) {
        if (offset < 0 || length < 0 || offset + length > bytes) {
            throw new IndexOutOfBoundsException("bytes " + offset + " + " + length + " of " + bytes);
        }
        return new Pointer(address()).getByteBuffer(offset, length).order(ByteOrder.nativeOrder());
    }

    FloatBuffer floats(long offset, long length) {
        return bytes(offset, length).asFloatBuffer();
    }

    @Override
    public boolean open() {
        return guard.open();
    }

    @Override
    public void close() {
        guard.close(() -> {
            Native.free(address);
            address = 0;
            device.freed(bytes);
        });
    }
}
