package io.basin.device;

/** One allocation of a device, zeroed when made. Any thread may close it; a second close does nothing. */
public interface Memory extends AutoCloseable {
    long bytes();

    /** Whether it was not closed yet. */
    boolean open();

    @Override
    void close();
}
