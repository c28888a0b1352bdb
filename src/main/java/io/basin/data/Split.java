package io.basin.data;

import io.basin.random.Permutation;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * A training set parted into what is learned from and what choices are made on.
 *
 * <p>Choosing an epoch, a member or a weight on the test set makes its accuracy worthless, so every choice is made on
 * a part of the training set that is never learned from. It is stratified, every class in proportion, since a small
 * random part would judge the classes unevenly.
 */
public record Split(Dataset train, Dataset validation) {
    /**
     * Parts a set. Both parts keep the order of the images.
     *
     * <p>Every class gives its share of the validation images, rounded down; the rest goes to the classes
     * with the largest remainders (the lower class where they are equal), so the count is exact. Which images a class
     * gives depends on the seed only.
     *
     * @param validationCount images in the validation part
     */
    public static Split stratified(Dataset set, int validationCount, long seed) {
        if (validationCount < 1 || validationCount >= set.count()) {
            throw new IllegalArgumentException("cannot hold " + validationCount + " samples out of " + set
                    + ": the count must be from 1 to " + (set.count() - 1));
        }
        int[] counts = set.classCounts();
        int[] quotas = quotas(counts, set.count(), validationCount);
        for (int k = 0; k < counts.length; k++) {
            if (counts[k] > 0 && (quotas[k] == 0 || quotas[k] == counts[k])) {
                throw new IllegalArgumentException("holding " + validationCount + " samples out of " + set
                        + " leaves class " + k + " (" + set.classNames().get(k) + ", " + counts[k]
                        + " samples) without any in the " + (quotas[k] == 0 ? "held-out" : "remaining")
                        + " part: take " + (quotas[k] == 0 ? "more" : "fewer"));
            }
        }
        return part(set, chosen(set, counts, quotas, seed));
    }

    /**
     * A stratified part of {@code count} images alone, the validation part of {@link #stratified} where that exists.
     *
     * @return the set itself where {@code count} is its size
     */
    public static Dataset sample(Dataset set, int count, long seed) {
        if (count == set.count()) return set;
        if (count > set.count()) {
            throw new IllegalArgumentException(count + " are more than the " + set.count() + " available of " + set
                    + "; ask for fewer, or 0 for all");
        }
        int[] counts = set.classCounts();
        int[] quotas = quotas(counts, set.count(), Math.max(0, count));
        for (int k = 0; k < counts.length; k++) {
            if (counts[k] > 0 && quotas[k] == 0) {
                throw new IllegalArgumentException(count + " of " + set + " are too few: there would be none of class "
                        + k + " (" + set.classNames().get(k) + "); take more");
            }
        }
        return set.subset(indices(chosen(set, counts, quotas, seed), true), set.name());
    }

    /**
     * Whether the validation part of {@code fewer} images lies within that of {@code more}, of the same set and seed. Largest remainders
     * do not always see to it: a class may give less to a larger part (the Alabama paradox).
     */
    public static boolean nested(Dataset set, int fewer, int more) {
        int[] counts = set.classCounts();
        int[] small = quotas(counts, set.count(), fewer);
        int[] large = quotas(counts, set.count(), more);
        return IntStream.range(0, counts.length).allMatch(k -> small[k] <= large[k]);
    }

    /** Of every class that has images one in {@code divisor}, at least one, is held out. */
    static Split share(Dataset set, int divisor, long seed) {
        int[] counts = set.classCounts();
        int[] quotas = Arrays.stream(counts)
                .map(n -> n == 0 ? 0 : Math.max(1, n / divisor))
                .toArray();
        for (int k = 0; k < counts.length; k++) {
            if (counts[k] != 1) continue;
            throw new IllegalArgumentException(set + " has a single sample of class " + k + " ("
                    + set.classNames().get(k) + "), which leaves none to learn from or none to test on: add more, or"
                    + " name a test part");
        }
        return part(set, chosen(set, counts, quotas, seed));
    }

    private static int[] quotas(int[] counts, int total, int validationCount) {
        int[] quotas = new int[counts.length];
        long[] remainders = new long[counts.length];
        int left = validationCount;
        for (int k = 0; k < counts.length; k++) {
            long share = (long) validationCount * counts[k];
            quotas[k] = (int) (share / total);
            remainders[k] = share % total;
            left -= quotas[k];
        }
        for (; left > 0; left--) {
            int largest = 0;
            for (int k = 1; k < counts.length; k++) largest = remainders[k] > remainders[largest] ? k : largest;
            quotas[largest]++;
            remainders[largest] = -1;
        }
        return quotas;
    }

    /** For every image whether it is a validation image: the first of its class in a keyed order. */
    private static boolean[] chosen(Dataset set, int[] counts, int[] quotas, long seed) {
        Permutation[] orders = new Permutation[counts.length];
        for (int k = 0; k < counts.length; k++) {
            // Epochs below zero: training never uses these orders.
            orders[k] = counts[k] > 0 ? new Permutation(counts[k]).key(seed, -1L - k) : null;
        }
        int[] seen = new int[counts.length];
        boolean[] chosen = new boolean[set.count()];
        for (int i = 0; i < chosen.length; i++) {
            int k = set.strata()[i];
            chosen[i] = orders[k].at(seen[k]++) < quotas[k];
        }
        return chosen;
    }

    private static Split part(Dataset set, boolean[] chosen) {
        return new Split(
                set.subset(indices(chosen, false), set.name()),
                set.subset(indices(chosen, true), set.name() + " (validation part)"));
    }

    private static int[] indices(boolean[] chosen, boolean wanted) {
        return IntStream.range(0, chosen.length)
                .filter(i -> chosen[i] == wanted)
                .toArray();
    }
}
