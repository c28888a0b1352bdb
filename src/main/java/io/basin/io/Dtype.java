package io.basin.io;

import io.basin.Api;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;

/**
 * The element types of the format. Ours hold F32 (weights and averages), F64 (statistics), I64 (counters) and U8 (images); F16 and
 * BF16 are read as float32, and the others are known so that a tensor that is not needed does not make a file unreadable.
 */
@Api
public enum Dtype {
    BOOL(1),
    U8(1),
    I8(1),
    F8_E5M2(1),
    F8_E4M3(1),
    I16(2),
    U16(2),
    F16(2),
    BF16(2),
    I32(4),
    U32(4),
    F32(4),
    F64(8),
    I64(8),
    U64(8);

    private final int bytes;

    Dtype(int bytes) {
        this.bytes = bytes;
    }

    /** Bytes of one element. */
    public int bytes() {
        return bytes;
    }

    /** Whether elements are numbers that {@link #widen} takes. */
    boolean isFloat() {
        return this == F16 || this == BF16 || this == F32 || this == F64;
    }

    /** Puts all elements of {@code from}, in its byte order, into {@code to}: exactly, of F64 rounded. */
    void widen(ByteBuffer from, FloatBuffer to) {
        switch (this) {
            case F16 -> {
                while (from.hasRemaining()) to.put(Half.ofF16(from.getShort()));
            }
            case BF16 -> {
                while (from.hasRemaining()) to.put(Half.ofBf16(from.getShort()));
            }
            case F32 -> to.put(from.asFloatBuffer());
            case F64 -> {
                while (from.hasRemaining()) to.put((float) from.getDouble());
            }
            default -> throw new IllegalStateException(this + " is not a type of floating-point numbers");
        }
    }
}
