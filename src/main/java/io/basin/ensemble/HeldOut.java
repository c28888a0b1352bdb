package io.basin.ensemble;

import java.util.Objects;

/**
 * Predictions on held-out data, on which weights, lambda or members may be chosen. Never the test set.
 *
 * <p>A type of its own, so that fitting on test data does not compile.
 *
 * @param name of the split, as the user knows it
 * @param source the members' predictions on it
 */
public record HeldOut(String name, MemberSource source) {
    public HeldOut {
        Objects.requireNonNull(name);
        Objects.requireNonNull(source);
    }
}
