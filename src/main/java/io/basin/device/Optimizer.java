package io.basin.device;

import io.basin.Api;

/** How weights move against their gradients: {@link Sgd}, fused by hand, or any {@link UpdateRule}. */
@Api
public sealed interface Optimizer permits Sgd, UpdateRule {
    /** Arrays of state beside each weight, 0 to 2, kept in the arenas MOMENTUM and SECOND_MOMENT and in checkpoints. */
    int moments();

    /** @throws IllegalArgumentException where it asks for more arrays than there are */
    static void requireMoments(Optimizer optimizer) {
        if (optimizer.moments() >= 0 && optimizer.moments() <= 2) return;
        throw new IllegalArgumentException(
                "an optimizer keeps 0 to 2 arrays of state a weight, got " + optimizer.moments());
    }
}
