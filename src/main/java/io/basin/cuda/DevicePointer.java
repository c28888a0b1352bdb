package io.basin.cuda;

import jcuda.driver.CUdeviceptr;

/** A place in device memory whose number can be read, which JCuda's own pointers do not tell. */
final class DevicePointer extends CUdeviceptr {
    DevicePointer() {}

    private DevicePointer(DevicePointer base, long offset) {
        super(base, offset);
    }

    DevicePointer plus(long offset) {
        return new DevicePointer(this, offset);
    }

    long value() {
        return getNativePointer() + getByteOffset();
    }
}
