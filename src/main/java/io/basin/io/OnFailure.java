package io.basin.io;

import java.util.function.Consumer;
import java.util.function.Supplier;

/** Closes a new object where the work that follows fails. */
public final class OnFailure {
    private OnFailure() {}

    /** The result of {@code next}; where that fails, {@code made} is closed. */
    public static <T> T close(AutoCloseable made, Supplier<T> next) {
        try {
            return next.get();
        } catch (RuntimeException e) {
            try {
                made.close();
            } catch (Exception another) {
                e.addSuppressed(another);
            }
            throw e;
        }
    }

    /** {@code made} itself, once {@code next} has dealt with it. */
    public static <A extends AutoCloseable> A close(A made, Consumer<A> next) {
        return close(made, () -> {
            next.accept(made);
            return made;
        });
    }
}
