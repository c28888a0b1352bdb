package io.basin.device;

import io.basin.Api;

/** How weights move against their gradients: {@link Sgd}, fused by hand, or any {@link UpdateRule}. */
@Api
public sealed interface Optimizer permits Sgd, UpdateRule {
    /** Arrays of state beside each weight, 0 to 2, kept in the arenas MOMENTUM and SECOND_MOMENT and in checkpoints. */
    int moments();
}
