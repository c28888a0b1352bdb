package io.basin.random;

/**
 * Philox4x32-10: 128 random bits from a 128-bit counter and a 64-bit key.
 *
 * <p>Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC 2011. Chosen because it
 * needs only 32-bit multiplications, which the CPU and a GPU do alike, and because it passes BigCrush.
 *
 * <p>Words are unsigned 32-bit numbers held in {@code int}. Nothing here allocates or holds state.
 */
public final class Philox {
    private static final long MULTIPLIER_0 = 0xD2511F53L;
    private static final long MULTIPLIER_1 = 0xCD9E8D57L;
    private static final int WEYL_0 = 0x9E3779B9;
    private static final int WEYL_1 = 0xBB67AE85;
    private static final int ROUNDS = 10;
    private static final long WORD = 0xFFFFFFFFL;

    private Philox() {}

    /** @param out receives the words in {@code out[0..3]}; its length is at least 4 */
    public static void block(int c0, int c1, int c2, int c3, int k0, int k1, int[] out) {
        for (int round = 0; round < ROUNDS; round++) {
            long p0 = MULTIPLIER_0 * (c0 & WORD);
            long p1 = MULTIPLIER_1 * (c2 & WORD);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        out[0] = c0;
        out[1] = c1;
        out[2] = c2;
        out[3] = c3;
    }

    /**
     * Words 0 (low half) and 1 (high half) of the block.
     *
     * <p>For callers that need 64 bits and are called from many threads: unlike {@link #block} it needs no array.
     */
    public static long pair(int c0, int c1, int c2, int c3, int k0, int k1) {
        for (int round = 0; round < ROUNDS; round++) {
            long p0 = MULTIPLIER_0 * (c0 & WORD);
            long p1 = MULTIPLIER_1 * (c2 & WORD);
            c0 = (int) (p1 >>> 32) ^ c1 ^ k0;
            c1 = (int) p1;
            c2 = (int) (p0 >>> 32) ^ c3 ^ k1;
            c3 = (int) p0;
            k0 += WEYL_0;
            k1 += WEYL_1;
        }
        return (c0 & WORD) | ((long) c1 << 32);
    }

    /** A float in [0, 1): the upper 24 bits, so that every value is exact and equally likely. */
    public static float unit(int bits) {
        return (bits >>> 8) * 0x1p-24f;
    }

    /**
     * An integer in [0, n) by multiply and shift; the bias is below n / 2^32.
     *
     * @param n at least 1
     */
    public static int below(int bits, int n) {
        return (int) (((bits & WORD) * n) >>> 32);
    }
}
