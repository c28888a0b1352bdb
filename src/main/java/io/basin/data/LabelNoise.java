package io.basin.data;

import io.basin.random.Permutation;
import io.basin.random.Philox;
import io.basin.random.Streams;

/** Symmetric label noise. */
final class LabelNoise {
    private LabelNoise() {}

    /** Gives {@code wrong} of the labels one of the other classes, all equally likely. */
    static void into(int[] labels, int wrong, int classes, long seed) {
        Permutation order = new Permutation(labels.length).key(seed, -1);
        for (int i = 0; i < labels.length; i++) {
            if (order.at(i) >= wrong) continue;
            int words = (int) Philox.pair(i, 0, 0, Streams.LABEL_NOISE, (int) seed, (int) (seed >>> 32));
            labels[i] = (labels[i] + 1 + Philox.below(words, classes - 1)) % classes;
        }
    }
}
