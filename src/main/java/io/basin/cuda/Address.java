package io.basin.cuda;

import jcuda.driver.CUdeviceptr;

/** A place in device memory whose number can be read, which JCuda's own pointers do not tell. */
final class Address extends CUdeviceptr {
    Address() {}

    private Address(Address base, long offset) {
        super(base, offset);
    }

    /** Somebody else's place, known by its number. */
    static Address of(long value) {
        return new Address(new Address(), value);
    }

    Address plus(long offset) {
        return new Address(this, offset);
    }

    long value() {
        return getNativePointer() + getByteOffset();
    }
}
