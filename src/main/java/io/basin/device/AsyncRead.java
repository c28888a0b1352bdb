package io.basin.device;

import java.nio.ByteBuffer;

/** A few bytes on their way from a device to the host. */
@FunctionalInterface
public interface AsyncRead {
    /** The bytes, in the host's order; waits for this copy, not for what was asked for after it. */
    ByteBuffer await();
}
