package io.basin.device;

/** How a device orders a tensor's elements in memory: a token that only the device which made it can read. */
public interface Layout {
    /** Bytes that a tensor of this layout takes, padding included. */
    long bytes();
}
