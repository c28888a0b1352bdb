package io.basin.ensemble;

import io.basin.Api;

/**
 * Requests that look like a mistake and are refused unless the user allows them.
 *
 * @param otherData measure on other data than the model was trained on
 * @param extraTensors read a file that holds weights beside those of the net
 */
@Api
public record Lenience(boolean otherData, boolean extraTensors) {
    /** Refuse both. */
    public static final Lenience NONE = new Lenience(false, false);
}
