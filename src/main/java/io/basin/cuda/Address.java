package io.basin.cuda;

import jcuda.driver.CUdeviceptr;

/** A place in device memory whose number can be read, which JCuda's own pointers do not tell. */
final class Address extends CUdeviceptr {
    Address() {}

    private Address(Address base, long offset) {
        super(base, offset);
    }

    Address plus(long offset) {
        return new Address(this, offset);
    }

    long value() {
        return getNativePointer() + getByteOffset();
    }
}
