package io.basin.rounds;

import io.basin.Api;
import io.basin.Nullable;
import io.basin.train.Splits;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/**
 * Work in rounds of shares, each a pure function of the file that its round begins with: what a {@link Carrier} has computed. A
 * training's is a {@link Workshop}; what a share hands over is a file, too.
 */
@Api
public interface Shares {
    /**
     * How many shares a round has.
     *
     * @param begin the round's file
     */
    int count(int round, Path begin);

    /** Which share of the round before left what this one goes on with; -1 for none. */
    default int before(int round, int share) {
        return -1;
    }

    /** Opens a device, and takes there what is computed on. */
    Maker open();

    /**
     * Which share, and what it follows from.
     *
     * @param round from 0, as {@code share} is
     * @param begin the round's file
     * @param before what the share that {@link Shares#before} names handed over; null for none
     */
    record Task(int round, int share, Path begin, @Nullable Path before) {}

    /** Computes shares, on a device of its own. One thread at a time uses it. */
    interface Maker extends AutoCloseable {
        /** Whose data and device every worker must have the same. */
        Splits splits();

        /** What is computed: workers for which this differs would compute something else. */
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

    /** What a share hands over. */
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

    /** Somebody asked for the share to be given up. */
    final class Stopped extends RuntimeException {
        private static final long serialVersionUID = 1;

        public Stopped() {
            super("stopped");
        }
    }
}
