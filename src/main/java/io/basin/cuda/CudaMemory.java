package io.basin.cuda;

import io.basin.device.Guard;
import io.basin.device.Memory;

/** One allocation of device memory. */
record CudaMemory(CudaDevice device, Guard guard, long bytes, DevicePointer address) implements Memory {
    CudaMemory(CudaDevice device, long bytes, DevicePointer address) {
        this(device, device.guard().of("memory of the cuda device"), bytes, address);
    }

    /** The place {@code length} bytes before whose end lies within the allocation. */
    static DevicePointer at(Memory memory, long offset, long length) {
        CudaMemory m = (CudaMemory) memory;
        m.guard.requireOpen();
        if (offset < 0 || length < 0 || offset + length > m.bytes) {
            throw new IndexOutOfBoundsException("bytes " + offset + " + " + length + " of " + m.bytes);
        }
        return m.address.plus(offset);
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
