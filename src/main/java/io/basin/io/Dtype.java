package io.basin.io;

/** The element types that our files hold: weights and averages, statistics, counters, images. */
public enum Dtype {
    F32(4),
    F64(8),
    I64(8),
    U8(1);

    private final int bytes;

    Dtype(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }
}
