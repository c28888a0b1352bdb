package io.basin.random;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.util.HexFormat;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class PhiloxTest {
    /** The three philox4x32-10 lines of kat_vectors in Random123: counter, key, expected block. */
    @ParameterizedTest
    @CsvSource({
        "00000000000000000000000000000000, 0000000000000000, 6627e8d5e169c58dbc57ac4c9b00dbd8",
        "ffffffffffffffffffffffffffffffff, ffffffffffffffff, 408f276d41c83b0ea20bc7c66d5451fd",
        "243f6a8885a308d313198a2e03707344, a4093822299f31d0, d16cfe0994fdcceb5001e42024126ea1"
    })
    void blocksEqualThePublishedKnownAnswers(String counter, String key, String expected) {
        int[] c = words(counter);
        int[] k = words(key);
        int[] out = new int[4];
        Philox.block(c[0], c[1], c[2], c[3], k[0], k[1], out);
        assertArrayEquals(words(expected), out);
    }

    @Test
    void blocksEqualAWideIntegerImplementation() {
        Random random = new Random(1);
        int[] out = new int[4];
        for (int i = 0; i < 200; i++) {
            int[] c = random.ints(4).toArray();
            int[] k = random.ints(2).toArray();
            Philox.block(c[0], c[1], c[2], c[3], k[0], k[1], out);
            assertArrayEquals(wide(c, k), out);
        }
    }

    @Test
    void pairIsTheFirstHalfOfTheBlock() {
        Random random = new Random(2);
        int[] out = new int[4];
        for (int i = 0; i < 200; i++) {
            int[] c = random.ints(6).toArray();
            Philox.block(c[0], c[1], c[2], c[3], c[4], c[5], out);
            long pair = Philox.pair(c[0], c[1], c[2], c[3], c[4], c[5]);
            assertEquals(out[0], (int) pair);
            assertEquals(out[1], (int) (pair >>> 32));
        }
    }

    @Test
    void unitCoversZeroToJustBelowOne() {
        assertEquals(0f, Philox.unit(0));
        assertEquals(0.5f, Philox.unit(0x80000000));
        assertEquals(Math.nextDown(1f), Philox.unit(-1));
    }

    @Test
    void belowSplitsTheWordsIntoEqualRanges() {
        assertEquals(0, Philox.below(-1, 1));
        assertEquals(8, Philox.below(-1, 9));
        assertEquals(4, Philox.below(0x80000000, 9));
        assertEquals(Integer.MAX_VALUE - 1, Philox.below(-1, Integer.MAX_VALUE));
        int[] counts = new int[9];
        int draws = 90_000;
        for (int i = 0; i < draws; i++) {
            counts[Philox.below((int) Philox.pair(i, 0, 0, 0, 7, 0), 9)]++;
        }
        assertTrue(ChiSquare.plausible(counts), "counts " + java.util.Arrays.toString(counts));
    }

    /** The definition of the paper, written with big integers and arrays. */
    private static int[] wide(int[] counter, int[] key) {
        int[] x = counter.clone();
        for (int round = 0; round < 10; round++) {
            BigInteger p0 = big(0xD2511F53).multiply(big(x[0]));
            BigInteger p1 = big(0xCD9E8D57).multiply(big(x[2]));
            int k0 = key[0] + round * 0x9E3779B9;
            int k1 = key[1] + round * 0xBB67AE85;
            x = new int[] {
                p1.shiftRight(32).intValue() ^ x[1] ^ k0,
                p1.intValue(),
                p0.shiftRight(32).intValue() ^ x[3] ^ k1,
                p0.intValue()
            };
        }
        return x;
    }

    private static BigInteger big(int word) {
        return BigInteger.valueOf(Integer.toUnsignedLong(word));
    }

    private static int[] words(String hex) {
        int[] words = new int[hex.length() / 8];
        for (int i = 0; i < words.length; i++) {
            words[i] = HexFormat.fromHexDigits(hex, 8 * i, 8 * i + 8);
        }
        return words;
    }
}
