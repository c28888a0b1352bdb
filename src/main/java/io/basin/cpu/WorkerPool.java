package io.basin.cpu;

import io.basin.Nullable;
import io.basin.text.Reason;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.IntConsumer;

/**
 * The calling thread and its helpers, sharing out numbered pieces of work.
 *
 * <p>Pieces are claimed one by one, so the caller starts at once and a helper that wakes late, or whose core is busy, costs nothing
 * but its share. Allocates nothing per call. Which thread does a piece never shows in the result: pieces must be independent.
 */
final class WorkerPool implements AutoCloseable {
    /** Stands for a next piece that no round has. */
    private static final int NONE = Integer.MAX_VALUE;

    /** Some microseconds. */
    private static final int SPINS = 1 << 10;

    private final Thread[] helpers;
    /** Round in the upper half, next piece in the lower: a helper of an earlier round can claim nothing of this one. */
    private final AtomicLong state = new AtomicLong();

    private final AtomicInteger done = new AtomicInteger();

    @SuppressWarnings("NullAway.Init") // Helpers read it only in a round.
    private volatile IntConsumer work;

    private volatile int pieces;
    private volatile boolean closed;
    private volatile @Nullable Throwable failure;

    WorkerPool(int threads) {
        helpers = new Thread[threads - 1];
        for (int i = 0; i < helpers.length; i++) {
            helpers[i] = new Thread(this::help, "basin-cpu-" + (i + 1));
            helpers[i].setDaemon(true);
            helpers[i].start();
        }
    }

    int threads() {
        return helpers.length + 1;
    }

    /** Calls {@code action} with 0 to {@code count} - 1, each once, and returns when all are done. */
    void run(int count, IntConsumer action) {
        if (count <= 1 || helpers.length == 0) {
            for (int i = 0; i < count; i++) action.accept(i);
            return;
        }
        long last = state.get() >>> 32;
        // Closed before anything of the next one is written: a helper that wakes late enters the last round, and would
        // otherwise take its end for a beginning as soon as it reads the next one's larger number of pieces.
        state.set(last << 32 | NONE);
        failure = null;
        work = action;
        pieces = count;
        done.set(0);
        long round = last + 1;
        state.set(round << 32);
        for (Thread helper : helpers) LockSupport.unpark(helper);
        claim(round);
        await(count);
        Throwable failed = failure;
        if (failed != null) throw new IllegalStateException("a piece of work failed: " + Reason.of(failed), failed);
    }

    /** A helper may have no core of its own, under taskset or a quota: then spinning would keep it from working. */
    @SuppressWarnings("ThreadPriorityCheck")
    private void await(int count) {
        for (int spins = 0; done.get() < count; spins++) {
            if (spins < SPINS) Thread.onSpinWait();
            else Thread.yield();
        }
    }

    private void claim(long round) {
        IntConsumer action = work;
        int count = pieces;
        while (true) {
            long s = state.get();
            int piece = (int) s;
            if (s >>> 32 != round || piece >= count) return;
            if (!state.compareAndSet(s, s + 1)) continue;
            try {
                action.accept(piece);
            } catch (Throwable e) {
                failure = e;
            }
            done.incrementAndGet();
        }
    }

    private void help() {
        long seen = 0;
        while (!closed) {
            long round = state.get() >>> 32;
            if (round == seen) {
                LockSupport.park(this);
                continue;
            }
            claim(round);
            seen = round;
        }
    }

    @Override
    public void close() {
        closed = true;
        for (Thread helper : helpers) LockSupport.unpark(helper);
    }
}
