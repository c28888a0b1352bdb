package io.basin.device;

import io.basin.Api;

/** One allocation of a device, zeroed when made. Any thread may close it; a second close does nothing. */
@Api
public interface Memory extends AutoCloseable {
    /** The device that allocated it, which alone reaches it. */
    Device device();

    long bytes();

    /** Whether it was not closed yet. */
    boolean open();

    @Override
    void close();
}
