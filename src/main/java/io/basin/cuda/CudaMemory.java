package io.basin.cuda;

import io.basin.device.Guard;
import io.basin.device.Memory;

/** One allocation of device memory. */
final class CudaMemory implements Memory {
    private final CudaDevice device;
    private final long bytes;
    private final Address address;
    private final Guard guard;

    CudaMemory(CudaDevice device, long bytes, Address address) {
        this.device = device;
        this.bytes = bytes;
        this.address = address;
        guard = device.guard().of("memory of the cuda device");
    }

    @Override
    public long bytes() {
        return bytes;
    }

    /** The place {@code length} bytes before whose end lies within this allocation. */
    Address at(long offset, long length) {
        guard.requireOpen();
        if (offset < 0 || length < 0 || offset + length > bytes) {
            throw new IndexOutOfBoundsException("bytes " + offset + " + " + length + " of " + bytes);
        }
        return address.plus(offset);
    }

    @Override
    public boolean open() {
        return guard.open();
    }

    @Override
    public void close() {
        guard.close(() -> device.free(this, address));
    }
}
