package io.basin.data;

import io.basin.random.Permutation;
import io.basin.random.Philox;
import io.basin.random.Streams;
import io.basin.text.Format;

/** Symmetric label noise. */
final class LabelNoise {
    private LabelNoise() {}

    /** A share of {@code samples}, which is above 0, as a count. */
    static int count(double share, int samples) {
        int wrong = (int) Math.round(share * samples);
        if (wrong > 0) return wrong;
        throw new IllegalArgumentException("a share of " + share + " of " + samples
                + " labels is less than half a label, so that none would be wrong: give 0, or "
                + Format.of("%.2g", 1.0 / samples) + " or more");
    }

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
