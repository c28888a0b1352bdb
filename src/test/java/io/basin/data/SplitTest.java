package io.basin.data;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

class SplitTest {
    @Test
    void theTwoPartsAreTheSetAndShareNoImage() {
        Dataset set = numbered(50, 30, 20);
        Split split = Split.stratified(set, 20, 1);
        assertEquals(20, split.validation().count());
        assertEquals(80, split.train().count());
        int[] numbers = new int[100];
        for (byte pixel : split.train().pixels()) {
            numbers[pixel]++;
        }
        for (byte pixel : split.validation().pixels()) {
            numbers[pixel]++;
        }
        assertTrue(Arrays.stream(numbers).allMatch(count -> count == 1));
    }

    @Test
    void classesKeepTheirShares() {
        Split split = Split.stratified(numbered(50, 30, 20), 20, 1);
        assertArrayEquals(new int[] {10, 6, 4}, split.validation().classCounts());
        assertArrayEquals(new int[] {40, 24, 16}, split.train().classCounts());
    }

    @Test
    void whatIsLeftOverGoesToTheLargestRemainders() {
        // Shares of 7 in 10: 3.5, 2.1, 1.4, so 3, 2, 1 and the seventh to the first class.
        assertArrayEquals(
                new int[] {4, 2, 1},
                Split.stratified(numbered(5, 3, 2), 7, 1).validation().classCounts());
        // Equal remainders: the lower class.
        assertArrayEquals(
                new int[] {2, 2, 1},
                Split.stratified(numbered(4, 4, 4), 5, 1).validation().classCounts());
    }

    @Test
    void theCountIsExactForEveryCount() {
        Dataset set = numbered(31, 29, 23, 17);
        for (int count = 4; count <= 92; count++) {
            Split split = Split.stratified(set, count, count);
            assertEquals(count, split.validation().count());
        }
    }

    /** Shares of classes by largest remainders: of 3 samples each class gives one, of 4 the first gives none. */
    @Test
    void aSmallerPartLiesInALargerOneWhereItIsSaidTo() {
        Dataset set = numbered(1, 3, 3);
        assertFalse(Split.nested(set, 3, 4));
        assertTrue(Split.nested(set, 4, 5));
        Dataset odd = numbered(5, 17, 23);
        int apart = 0;
        for (int more = 12; more < 40; more++) {
            Set<Byte> large = images(Split.sample(odd, more, 1));
            for (int fewer = 10; fewer < more; fewer++) {
                boolean within = large.containsAll(images(Split.sample(odd, fewer, 1)));
                assertEquals(within, Split.nested(odd, fewer, more), fewer + " in " + more);
                if (!within) apart++;
            }
        }
        assertTrue(apart > 0);
    }

    private static Set<Byte> images(Dataset set) {
        Set<Byte> all = new HashSet<>();
        for (byte pixel : set.pixels()) all.add(pixel);
        return all;
    }

    @Test
    void theSeedDecidesWhichImages() {
        Dataset set = numbered(50, 50);
        byte[] first = Split.stratified(set, 20, 1).validation().pixels();
        assertArrayEquals(first, Split.stratified(set, 20, 1).validation().pixels());
        assertFalse(
                Arrays.equals(first, Split.stratified(set, 20, 2).validation().pixels()));
    }

    @Test
    void aClassWithoutAnyImageIsNoError() {
        assertArrayEquals(
                new int[] {2, 0, 2},
                Split.stratified(numbered(5, 0, 5), 4, 1).validation().classCounts());
    }

    @Test
    void countsThatLeaveAPartOrAClassEmptyAreRefused() {
        Dataset set = numbered(50, 45, 5);
        for (int count : new int[] {-1, 0, 100, 101}) {
            assertTrue(message(set, count).contains("the count must be from 1 to 99"));
        }
        assertTrue(message(set, 5).contains("class 2 (2, 5 samples) without any in the held-out part: take more"));
        assertTrue(message(set, 98).contains("without any in the remaining part: take fewer"));
    }

    @Test
    void aSampleIsTheValidationPartAloneAndMayBeNearlyAll() {
        Dataset set = numbered(50, 45, 5);
        assertArrayEquals(
                Split.stratified(set, 20, 1).validation().pixels(),
                Split.sample(set, 20, 1).pixels());
        assertEquals(99, Split.sample(set, 99, 1).count());
        assertEquals(set, Split.sample(set, 100, 1));
        String more = assertThrows(IllegalArgumentException.class, () -> Split.sample(set, 101, 1))
                .getMessage();
        assertTrue(more.startsWith("101 are more than the 100 available of "), more);
        IllegalArgumentException e = assertThrows(IllegalArgumentException.class, () -> Split.sample(set, 5, 1));
        assertTrue(e.getMessage().contains("none of class 2 (2); take more"), e.getMessage());
    }

    private static String message(Dataset set, int count) {
        return assertThrows(IllegalArgumentException.class, () -> Split.stratified(set, count, 1))
                .getMessage();
    }

    /** Images of one pixel, their number, of interleaved classes. */
    private static Dataset numbered(int... counts) {
        int total = Arrays.stream(counts).sum();
        int[] left = counts.clone();
        byte[] pixels = new byte[total];
        int[] labels = new int[total];
        for (int i = 0, k = 0; i < total; k = (k + 1) % counts.length) {
            if (left[k]-- > 0) {
                pixels[i] = (byte) i;
                labels[i++] = k;
            }
        }
        List<String> names = Arrays.stream(counts)
                .mapToObj(String::valueOf)
                .map(name -> "n" + name)
                .toList();
        return new Dataset("numbered", pixels, labels, 1, 1, 1, counts.length == 3 ? List.of("0", "1", "2") : names);
    }
}
