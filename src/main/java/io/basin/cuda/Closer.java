package io.basin.cuda;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Undoes steps in reverse: for constructors that may fail half-way, and for closing what they made.
 *
 * <p>Undoing goes on to the end whatever fails on the way. A failure is logged and not thrown, since it would hide the one that
 * led here, and no caller could do anything about it.
 */
final class Closer implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Closer.class);

    private record Step(String call, IntSupplier undo) {}

    private final Deque<Step> steps = new ArrayDeque<>();

    /** @param undo returns the driver's, cuBLAS' or cuDNN's status, 0 for success */
    void add(String call, IntSupplier undo) {
        steps.push(new Step(call, undo));
    }

    <T extends AutoCloseable> T add(T made) {
        steps.push(new Step(made.getClass().getSimpleName(), () -> {
            try {
                made.close();
                return 0;
            } catch (Exception e) {
                throw new IllegalStateException(e);
            }
        }));
        return made;
    }

    @Override
    public void close() {
        while (!steps.isEmpty()) {
            Step step = steps.pop();
            try {
                int status = step.undo().getAsInt();
                if (status != 0) LOG.warn("{} failed with status {} while closing", step.call(), status);
            } catch (RuntimeException e) {
                LOG.warn("{} failed while closing: {}", step.call(), e.getMessage());
            }
        }
    }
}
