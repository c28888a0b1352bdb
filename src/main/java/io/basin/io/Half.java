package io.basin.io;

/** Numbers of 16 bits as float32 and back, rounded to nearest, ties to even; bit for bit as {@code kernels/arrays.cu}. */
public final class Half {
    private static final int INFINITE = 0x7F800000;

    private Half() {}

    public static float ofBf16(short bits) {
        return Float.intBitsToFloat(bits << 16);
    }

    public static short toBf16(float v) {
        int bits = Float.floatToRawIntBits(v);
        return (short) ((Float.isNaN(v) ? bits | 0x400000 : bits + 0x7FFF + (bits >>> 16 & 1)) >>> 16);
    }

    /** Subnormal numbers come by way of an integer: threads of libtorch may flush them. */
    public static float ofF16(short bits) {
        int magnitude = bits & 0x7FFF;
        int wide;
        if (magnitude < 0x400) wide = Float.floatToRawIntBits(magnitude * 0x1p-24f);
        else wide = magnitude < 0x7C00 ? (magnitude << 13) + (112 << 23) : INFINITE | magnitude << 13;
        return Float.intBitsToFloat(wide | (bits & 0x8000) << 16);
    }

    public static short toF16(float v) {
        int bits = Float.floatToRawIntBits(v);
        int magnitude = bits & 0x7FFFFFFF;
        int narrow;
        if (magnitude > INFINITE) narrow = 0x7E00 | magnitude >>> 13 & 0x3FF;
        else if (magnitude >= 0x477FF000) narrow = 0x7C00; // 65520, halfway to what would be 2^16
        else if (magnitude >= 0x38800000) narrow = magnitude - 0x38000000 + 0xFFF + (magnitude >>> 13 & 1) >>> 13;
        // Between 1/2 and 1 float32 has the step of f16's subnormal numbers, 2^-24: the sum rounds as they do.
        else narrow = Float.floatToRawIntBits(Float.intBitsToFloat(magnitude) + 0.5f) - 0x3F000000;
        return (short) (narrow | bits >>> 16 & 0x8000);
    }
}
