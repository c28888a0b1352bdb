package io.basin.device;

import io.basin.Api;
import io.basin.Nullable;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;

/**
 * Gives threads turns on a device, and refuses calls on closed objects.
 *
 * <p>Any thread may use a device and everything made on it. Calls take turns, and one that takes several steps (a pass over a
 * data set, a replayed training step) has one turn for all of them, so each computes as though it were alone. A closed
 * object is named in the refusal. Closing takes a turn as well: it waits for a call that another thread is in.
 *
 * <p>Turns are fair: a thread that trains, and so asks again at once, does not keep the others out. A thread may take a turn
 * within its own. A device has one lock, so two threads cannot deadlock by the order of locks; code
 * that is called within a turn must not wait for another thread that needs the device.
 */
@Api
public final class Guard {
    private final ReentrantLock lock;
    private final @Nullable Guard parent;
    private final String owner;
    private final Runnable arrival;
    private volatile boolean closed;

    private Guard(ReentrantLock lock, @Nullable Guard parent, String owner, Runnable arrival) {
        this.lock = lock;
        this.parent = parent;
        this.owner = owner;
        this.arrival = arrival;
    }

    /**
     * The guard of a device.
     *
     * @param owner for messages, such as {@code the cpu device}
     * @param arrival prepares the calling thread at the beginning of each turn
     */
    public Guard(String owner, Runnable arrival) {
        this(new ReentrantLock(true), null, owner, arrival);
    }

    /**
     * The guard of something made on the device: it takes the device's turns and is closed by itself.
     *
     * @throws IllegalStateException where the device is closed, naming it
     */
    public Guard of(String owner) {
        requireOpen();
        return new Guard(lock, this, owner, arrival);
    }

    /**
     * Does all of {@code work} in one turn.
     *
     * @throws IllegalStateException where the owner or its device is closed, naming it
     */
    public void run(Runnable work) {
        enter();
        try {
            work.run();
        } finally {
            lock.unlock();
        }
    }

    /** As {@link #run}, with a result. */
    public <T> T get(Supplier<T> work) {
        enter();
        try {
            return work.get();
        } finally {
            lock.unlock();
        }
    }

    private void enter() {
        lock.lock();
        try {
            requireOpen();
            if (lock.getHoldCount() == 1) arrival.run();
        } catch (RuntimeException | Error e) {
            lock.unlock();
            throw e;
        }
    }

    /** @throws IllegalStateException where the owner or its device is closed, naming it */
    public void requireOpen() {
        Guard first = null;
        // The device rather than an object that was closed with it.
        for (Guard g = this; g != null; g = g.parent) if (g.closed) first = g;
        if (first != null) throw closed(first.owner);
    }

    static IllegalStateException closed(String owner) {
        return new IllegalStateException(owner + " is closed: it was closed before this call");
    }

    /** Whether neither the owner nor its device is closed. */
    public boolean open() {
        return !closed && (parent == null || parent.open());
    }

    /** Closes the owner, once, in a turn of its own: {@code release} is not called a second time. */
    public void close(Runnable release) {
        lock.lock();
        try {
            if (closed) return;
            boolean prepared = lock.getHoldCount() > 1 || parent != null && !parent.open();
            closed = true;
            try {
                if (!prepared) arrival.run();
            } finally {
                release.run();
            }
        } finally {
            lock.unlock();
        }
    }
}
