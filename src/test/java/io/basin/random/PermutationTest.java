package io.basin.random;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.BitSet;
import org.junit.jupiter.api.Test;

class PermutationTest {
    @Test
    void everySmallSizeIsPermutedWithoutGapsOrRepeats() {
        for (int n = 1; n <= 600; n++) {
            assertBijection(n, n, 31L * n);
        }
    }

    @Test
    void sizesAroundPowersOfTwoArePermutedWithoutGapsOrRepeats() {
        for (int bits = 10; bits <= 17; bits++) {
            for (int n = (1 << bits) - 1; n <= (1 << bits) + 1; n++) {
                assertBijection(n, -5, bits);
            }
        }
        assertBijection(50_000, 1, 0);
        assertBijection(60_000, Long.MIN_VALUE, Long.MAX_VALUE);
    }

    @Test
    void theLargestSizeStaysInRange() {
        int n = Integer.MAX_VALUE;
        BitSet seen = new BitSet();
        for (int i = 0; i < 1000; i++) {
            int x = Permutation.at(n - 1 - i, n, 3, i % 2);
            assertTrue(x >= 0 && x < n);
            seen.set(x >>> 8);
        }
        assertTrue(seen.cardinality() > 990);
    }

    @Test
    void anInstanceKeyedAgainEqualsTheStaticForm() {
        Permutation order = new Permutation(1000);
        for (long epoch = 0; epoch < 5; epoch++) {
            order.key(42, epoch);
            for (int i = 0; i < 1000; i++) {
                assertEquals(Permutation.at(i, 1000, 42, epoch), order.at(i));
            }
        }
        assertThrows(IndexOutOfBoundsException.class, () -> order.at(1000));
    }

    @Test
    void epochsAndSeedsGiveUnrelatedOrders() {
        int n = 10_000;
        int[] base = order(n, 7, 3);
        int[][] others = {
            order(n, 7, 4), order(n, 8, 3), order(n, 7, 3 + (1L << 32)), order(n, 7 + (1L << 32), 3), order(n, 3, 7)
        };
        for (int[] other : others) {
            int fixed = 0;
            for (int i = 0; i < n; i++) {
                fixed += base[i] == other[i] ? 1 : 0;
            }
            // Agreements of two random orders are Poisson with mean 1.
            assertTrue(fixed < 10, "agreements: " + fixed);
        }
        assertTrue(Arrays.equals(base, order(n, 7, 3)));
    }

    @Test
    void aSampleIsEquallyLikelyAtEveryPlace() {
        for (int n : new int[] {2, 3, 7, 50, 100, 257}) {
            for (int index : new int[] {0, 1, n - 1}) {
                int[] counts = new int[n];
                for (int epoch = 0; epoch < 200 * n; epoch++) {
                    counts[Permutation.at(index, n, 11, epoch)]++;
                }
                assertTrue(ChiSquare.plausible(counts), "n " + n + ", index " + index);
            }
        }
    }

    @Test
    void neighboursAreIndependent() {
        int n = 12;
        int[] counts = new int[n * (n - 1)];
        for (int seed = 0; seed < 40_000; seed++) {
            int a = Permutation.at(0, n, seed, 5);
            int b = Permutation.at(1, n, seed, 5);
            counts[a * (n - 1) + (b > a ? b - 1 : b)]++;
        }
        assertTrue(ChiSquare.plausible(counts));
    }

    @Test
    void aSampleDoesNotRepeatItsPlaceInTheNextEpoch() {
        int n = 1000;
        int[] steps = new int[20];
        for (int epoch = 0; epoch < 20; epoch++) {
            for (int i = 0; i < n; i++) {
                int step = Math.floorMod(Permutation.at(i, n, 1, epoch + 1) - Permutation.at(i, n, 1, epoch), n);
                steps[step * steps.length / n]++;
            }
        }
        assertTrue(ChiSquare.plausible(steps), Arrays.toString(steps));
    }

    @Test
    void sizesBelowOneAndIndicesOutsideAreRefused() {
        assertThrows(IllegalArgumentException.class, () -> new Permutation(0));
        assertThrows(IllegalArgumentException.class, () -> Permutation.at(0, -1, 0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> Permutation.at(5, 5, 0, 0));
        assertThrows(IndexOutOfBoundsException.class, () -> new Permutation(5).at(-1));
    }

    private static int[] order(int n, long seed, long epoch) {
        int[] order = new int[n];
        for (int i = 0; i < n; i++) {
            order[i] = Permutation.at(i, n, seed, epoch);
        }
        return order;
    }

    private static void assertBijection(int n, long seed, long epoch) {
        Permutation order = new Permutation(n).key(seed, epoch);
        BitSet seen = new BitSet(n);
        for (int i = 0; i < n; i++) {
            int x = order.at(i);
            assertFalse(seen.get(x), () -> "n " + n + " gives " + x + " twice");
            seen.set(x);
        }
        assertEquals(n, seen.cardinality());
        assertEquals(n, seen.length());
    }
}
