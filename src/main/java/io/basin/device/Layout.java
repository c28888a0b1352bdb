package io.basin.device;

import io.basin.Api;

/** How a device orders a tensor's elements in memory: a token that only the device which made it can read. */
@Api
public interface Layout {
    /** Bytes that a tensor of this layout takes, padding included. */
    long bytes();
}
