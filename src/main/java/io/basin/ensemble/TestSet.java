package io.basin.ensemble;

import java.util.Objects;

/**
 * Predictions on the test set: results are reported on it, and nothing is chosen on it.
 *
 * <p>A type of its own, so that fitting on test data does not compile.
 *
 * @param name of the split, as the user knows it
 * @param source the members' predictions on it
 */
public record TestSet(String name, MemberSource source) {
    public TestSet {
        Objects.requireNonNull(name);
        Objects.requireNonNull(source);
    }
}
