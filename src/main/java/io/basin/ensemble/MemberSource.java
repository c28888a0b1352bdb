package io.basin.ensemble;

/** Members that can predict one data set, from its beginning, any number of times, always the same. */
public interface MemberSource {
    /** Number of members, at least 1. */
    int members();

    /** Number of classes, at least 2. */
    int classes();

    /** Pushes all batches into {@code sink}. */
    void stream(MemberSink sink);
}
