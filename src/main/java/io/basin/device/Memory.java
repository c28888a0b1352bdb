package io.basin.device;

/** One allocation of a device, zeroed when made. */
public interface Memory extends AutoCloseable {
    long bytes();

    @Override
    void close();
}
