package io.basin.data;

import io.basin.Api;

/**
 * Shows how far long work is.
 *
 * <p>An interface of one method, so that the library prints nothing by itself: the command line draws a bar, tests count.
 */
@Api
@FunctionalInterface
public interface Progress {
    /** Reports nothing. */
    Progress NONE = (task, total, unit) -> steps -> {};

    /**
     * Begins a task; the returned counter is closed when the task ends, well or not.
     *
     * @param task what is done, for people: {@code "downloading train-images-idx3-ubyte.gz"}
     * @param total how many units it takes, or -1 if that is not known
     * @param unit {@code "B"} for bytes, otherwise a noun: {@code "files"}
     */
    Counter start(String task, long total, String unit);

    /** Counts the steps of one task; called from one thread at a time. */
    @FunctionalInterface
    interface Counter extends AutoCloseable {
        /** This many more units are done. */
        void step(long units);

        @Override
        default void close() {}
    }
}
