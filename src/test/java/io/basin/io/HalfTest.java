package io.basin.io;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import org.junit.jupiter.api.Test;

/** Conversions against the formats' definitions, every number of both. */
class HalfTest {
    /** sign, exponent and fraction by the definition of IEEE 754; NaN for NaN. */
    private static double value(int bits, int fraction) {
        int exponents = (1 << 15 - fraction) - 1;
        int bias = exponents / 2;
        int e = bits >> fraction & exponents;
        int f = bits & (1 << fraction) - 1;
        double sign = (bits & 0x8000) == 0 ? 1 : -1;
        if (e == exponents) return f == 0 ? sign / 0 : Double.NaN;
        return sign
                * (e == 0
                        ? f * Math.pow(2, 1 - bias - fraction)
                        : (1 + f * Math.pow(2, -fraction)) * Math.pow(2, e - bias));
    }

    @Test
    void everyNumberIsWidenedExactlyAndComesBack() {
        for (int bits = 0; bits < 1 << 16; bits++) {
            float f16 = Half.ofF16((short) bits);
            float bf16 = Half.ofBf16((short) bits);
            assertEquals(value(bits, 10), f16, Integer.toHexString(bits));
            assertEquals(value(bits, 7), bf16, Integer.toHexString(bits));
            if (f16 == f16) assertEquals((short) bits, Half.toF16(f16));
            else assertTrue(Float.isNaN(Half.ofF16(Half.toF16(f16))));
            if (bf16 == bf16) assertEquals((short) bits, Half.toBf16(bf16));
            else assertTrue(Float.isNaN(Half.ofBf16(Half.toBf16(bf16))));
        }
    }

    /** Between two neighbours the nearer one, and in the middle the one with an even last bit. */
    @Test
    void whatLiesBetweenIsRoundedToTheNearestAndToEven() {
        for (int bits = 0; bits < 0x7C00; bits++) {
            double low = value(bits, 10);
            double high = bits == 0x7BFF ? 65536 : value(bits + 1, 10);
            float middle = (float) ((low + high) / 2);
            short even = (short) (bits % 2 == 0 ? bits : bits + 1);
            assertEquals(even, Half.toF16(middle), Integer.toHexString(bits));
            assertEquals((short) bits, Half.toF16(Math.nextDown(middle)));
            assertEquals((short) (bits + 1), Half.toF16(Math.nextUp(middle)));
            assertEquals((short) (even | 0x8000), Half.toF16(-middle));
        }
        assertEquals((short) 0x3F80, Half.toBf16(1 + 1f / 256));
        assertEquals((short) 0x3F82, Half.toBf16(1 + 3f / 256));
        assertEquals((short) 0x7C00, Half.toF16(Float.MAX_VALUE));
        assertEquals((short) 0xFF80, Half.toBf16(Float.NEGATIVE_INFINITY));
        assertEquals((short) 0x7F80, Half.toBf16(Float.MAX_VALUE));
    }
}
