package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Work in rounds of shares for a {@link Carrier}. Each share is a pure function of the file that its round begins with, and its
 * result is a file, too. A training's work is a {@link Workshop}.
 */
@Api
public interface Shares {
    /**
     * How many shares a round has.
     *
     * @param begin the round's file
     */
    int count(int round, Path begin);

    /** The share of the round before from which this one goes on; -1 for none. */
    default int before(int round, int share) {
        return -1;
    }

    /** Opens a device and brings the data to it. */
    Maker open();

    /**
     * A share and its input.
     *
     * @param round from 0, as {@code share} is
     * @param begin the round's file
     * @param before the result of the share that {@link Shares#before} names; null for none
     */
    record Task(int round, int share, Path begin, @Nullable Path before) {}

    /** Computes shares, on a device of its own. One thread at a time uses it. */
    interface Maker extends AutoCloseable {
        /** Whose data and device every worker must have the same. */
        Splits splits();

        /** Identifies the work: workers for which this differs would compute something else. */
        String identity();

        /**
         * A pure function of the task's files.
         *
         * @param stop looked at now and then
         * @throws io.basin.train.DivergedException where loss or weights are not finite that have to be, naming the worker
         * @throws Stopped where {@code stop} says so
         */
        Made make(Task task, BooleanSupplier stop);

        @Override
        void close();
    }

    /** The result of a share. */
    interface Made {
        /**
         * Writes it, whole or not at all.
         *
         * @param by who computed it, for people
         */
        void write(Path file, String by);

        /** In what the file of another worker, which computed the same share, differs. */
        Optional<String> difference(Path file);
    }

    /** The share was given up by request. */
    final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1;

        public Stopped() {
            super("stopped");
        }
    }
}
