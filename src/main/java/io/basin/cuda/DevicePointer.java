package io.basin.cuda;

import jcuda.driver.CUdeviceptr;

/** A place in device memory whose number can be read, which JCuda's own pointers do not tell. */
final class DevicePointer extends CUdeviceptr {
    DevicePointer() {}

    private DevicePointer(DevicePointer base, long offset) {
        super(base, offset);
    }

    /** Somebody else's place, known by its number. */
    static DevicePointer of(long value) {
        return new DevicePointer(new DevicePointer(), value);
    }

    DevicePointer plus(long offset) {
        return new DevicePointer(this, offset);
    }

    long value() {
        return getNativePointer() + getByteOffset();
    }
}
