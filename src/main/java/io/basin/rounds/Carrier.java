package io.basin.rounds;

import io.basin.Api;

/**
 * Computes the shares of a round, anywhere. It may give up, lose or repeat shares: when {@link #run} returns, all shares of the
 * round lie in the job's folder, and their bits do not depend on who computed them.
 */
@Api
public interface Carrier extends AutoCloseable {
    /** In words, for headers and reports. */
    String describe();

    /**
     * Has all shares of a round computed that are not in the folder yet.
     *
     * @param handed called after each that was handed over, by any thread
     * @throws io.basin.train.DivergedException where one of them has a loss or weights that are not finite, naming the worker
     */
    void run(int round, Runnable handed);

    @Override
    void close();
}
