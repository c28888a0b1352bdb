package io.basin.random;

import java.util.Objects;

/**
 * The order of n samples in one epoch: a bijection of [0, n) keyed by (seed, epoch), evaluated one index at a time.
 *
 * <p>A Feistel network of 8 rounds permutes the smallest power of two that holds n; values that fall outside [0, n)
 * are put through again until one falls inside (cycle walking: fewer than two passes on average). No table is built,
 * so a resumed run and a GPU thread find their place in the order from the step counter alone.
 *
 * <p>Definition, for other devices. Let (w0, w1) be words 0 and 1 of the Philox block with key (seed low, seed high) and counter
 * (epoch low, epoch high, 0, {@link Streams#ORDER}). b is the number of bits of n - 1; x splits into L, its upper b/2 bits, and R,
 * the rest. Round r = 0..7 has the key w0 + r (w1 | 1) and replaces {@code L ^= F(R ^ key)} where r is even, {@code R ^= F(L ^
 * key)} where it is odd, each cut to its width. F is the 32-bit mixer in {@code mix}.
 *
 * <p>An instance holds the round keys of one epoch and can be keyed again without allocation. It may be read by
 * several threads between two calls of {@link #key}.
 */
public final class Permutation {
    private static final int ROUNDS = 8;

    private final int n;
    private int key;
    private int stride;

    /**
     * An order of n samples, not yet of any epoch: keyed by (0, 0) until {@link #key} is called.
     *
     * @param n at least 1
     */
    public Permutation(int n) {
        this.n = positive(n);
        key(0, 0);
    }

    /** Changes to the order of the given seed and epoch; returns this. */
    public Permutation key(long seed, long epoch) {
        long words = words(seed, epoch);
        key = (int) words;
        stride = (int) (words >>> 32) | 1;
        return this;
    }

    /** The sample at the given place of the order, in [0, n). */
    public int at(int index) {
        return walk(Objects.checkIndex(index, n), n, key, stride);
    }

    /** The sample at one place of the order, without an instance. */
    public static int at(int index, int n, long seed, long epoch) {
        Objects.checkIndex(index, positive(n));
        long words = words(seed, epoch);
        return walk(index, n, (int) words, (int) (words >>> 32) | 1);
    }

    private static int positive(int n) {
        if (n < 1) {
            throw new IllegalArgumentException("a permutation needs at least 1 element, not " + n);
        }
        return n;
    }

    private static long words(long seed, long epoch) {
        return Philox.pair((int) epoch, (int) (epoch >>> 32), 0, Streams.ORDER, (int) seed, (int) (seed >>> 32));
    }

    private static int walk(int index, int n, int key, int stride) {
        int bits = 32 - Integer.numberOfLeadingZeros(n - 1);
        int low = bits - bits / 2;
        int lowMask = (1 << low) - 1;
        int highMask = (1 << (bits / 2)) - 1;
        int x = index;
        do {
            int left = x >>> low;
            int right = x & lowMask;
            int roundKey = key;
            for (int round = 0; round < ROUNDS; round += 2) {
                left ^= mix(right ^ roundKey) & highMask;
                roundKey += stride;
                right ^= mix(left ^ roundKey) & lowMask;
                roundKey += stride;
            }
            x = (left << low) | right;
        } while (x >= n);
        return x;
    }

    /** A bijection of 32 bits with low bias (two multiplications, constants by C. Wellons' search). */
    private static int mix(int x) {
        x ^= x >>> 16;
        x *= 0x7FEB352D;
        x ^= x >>> 15;
        x *= 0x846CA68B;
        return x ^ (x >>> 16);
    }
}
