package io.basin.device;

import io.basin.Api;

/** A device could not do what was asked of it; the message names the call, the layer and its shapes. */
@Api
public final class DeviceException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    public DeviceException(String message) {
        super(message);
    }

    public DeviceException(String message, Throwable cause) {
        super(message, cause);
    }
}
