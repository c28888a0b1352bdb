package io.basin.cuda;

import io.basin.device.Memory;

/** One allocation of device memory. */
final class CudaMemory implements Memory {
    private final CudaDevice device;
    private final long bytes;
    private final DevicePointer address;
    private boolean closed;

    CudaMemory(CudaDevice device, long bytes, DevicePointer address) {
        this.device = device;
        this.bytes = bytes;
        this.address = address;
    }

    @Override
    public long bytes() {
        return bytes;
    }

    /** The place {@code length} bytes before whose end lies within this allocation. */
    DevicePointer at(long offset, long length) {
        if (closed) throw new IllegalStateException("memory was used after it was closed");
        if (offset < 0 || length < 0 || offset + length > bytes) {
            throw new IndexOutOfBoundsException("bytes " + offset + " + " + length + " of " + bytes);
        }
        return address.plus(offset);
    }

    @Override
    public void close() {
        if (closed) return;
        closed = true;
        device.free(address, bytes);
    }
}
