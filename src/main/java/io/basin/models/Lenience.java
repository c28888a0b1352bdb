package io.basin.models;

/**
 * What a user may ask for that is refused otherwise, since it looks like a mistake.
 *
 * @param otherData measure on other data than the model was trained on
 * @param extraTensors read a file that holds weights beside those of the net
 */
public record Lenience(boolean otherData, boolean extraTensors) {
    /** Refuse both. */
    public static final Lenience NONE = new Lenience(false, false);
}
