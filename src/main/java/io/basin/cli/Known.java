package io.basin.cli;

import io.basin.data.Catalog;
import java.util.Iterator;
import java.util.List;

/** The names that an argument takes, for help and for shells that complete words. */
final class Known {
    private Known() {}

    static final class Sets implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return Catalog.names().iterator();
        }
    }

    static final class Nets implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return io.basin.nn.Nets.NAMES.iterator();
        }
    }

    static final class Methods implements Iterable<String> {
        @Override
        public Iterator<String> iterator() {
            return io.basin.methods.Methods.NAMES.iterator();
        }
    }

    /** @throws IllegalArgumentException naming {@code flag} and the likeliest known method */
    static void requireMethods(String flag, List<String> names) {
        if (names.isEmpty())
            throw new IllegalArgumentException(flag + " names no method: leave it out for the usual ones");
        for (String name : names) {
            try {
                io.basin.methods.Methods.USUAL.named(name);
            } catch (IllegalArgumentException e) {
                throw new IllegalArgumentException(flag + ": " + e.getMessage(), e);
            }
        }
    }
}
