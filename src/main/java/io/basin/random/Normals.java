package io.basin.random;

/**
 * Normal numbers from {@link Philox} by Box and Muller's transform: a pure function of what they are for, like every draw here.
 *
 * <p>{@link StrictMath}, so that every machine draws the same bits.
 */
public final class Normals {
    private static final double UNIT = 0x1p-32;

    private Normals() {}

    /**
     * Fills {@code out} with independent N(0, 1) numbers: four from each block of counter (i, a, b, stream), i = 0, 1, ...
     *
     * @param a and b what the numbers are for
     * @param stream one of {@link Streams}
     */
    public static void fill(double[] out, int a, int b, int stream, long key) {
        int[] words = new int[4];
        for (int i = 0; i < out.length; i += 4) {
            Philox.block(i / 4, a, b, stream, (int) key, (int) (key >>> 32), words);
            for (int j = 0; j < 4 && i + j < out.length; j += 2) {
                double r = StrictMath.sqrt(-2 * StrictMath.log(open(words[j])));
                double angle = 2 * Math.PI * open(words[j + 1]);
                out[i + j] = r * StrictMath.cos(angle);
                if (i + j + 1 < out.length) out[i + j + 1] = r * StrictMath.sin(angle);
            }
        }
    }

    /** In (0, 1): the logarithm needs a number above 0. */
    private static double open(int word) {
        return ((word & 0xFFFFFFFFL) + 0.5) * UNIT;
    }
}
