package io.basin.ensemble;

import io.basin.Api;
import java.util.function.Consumer;

/** Members that can predict one data set any number of times, always the same. */
@Api
public interface MemberSource {
    /** Number of members, at least 1. */
    int members();

    /** Number of classes, at least 2. */
    int classes();

    /** The true class of each sample, (samples). */
    int[] labels();

    /** Hands every member's probabilities to {@code sink}, one array (samples, classes) after another, which may be reused. */
    void stream(Consumer<double[]> sink);
}
