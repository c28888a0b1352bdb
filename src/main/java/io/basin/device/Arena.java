package io.basin.device;

import io.basin.Api;

/** The few allocations that hold everything; every tensor is a slot in one of them. */
@Api
public enum Arena {
    /** Weights. GRADS, MOMENTUM and AVERAGE have its size and its offsets: one offset, four arenas. */
    PARAMS,
    /** Weights in bfloat16, each at half its offset in PARAMS: for products of a training in that precision. */
    COPY,
    GRADS,
    /** Gradients in bfloat16, each at half its offset in GRADS: what convolutions leave, widened at once when backward ends. */
    NARROW_GRADS,
    MOMENTUM,
    /** Only where the optimizer keeps two arrays of state. */
    SECOND_MOMENT,
    AVERAGE,
    /** Only where a method keeps two averages. */
    SECOND_AVERAGE,
    /** Batch-norm statistics of the trained and of the averaged model: carried along, never stepped. */
    STATE,
    STATE_AVERAGE,
    /** A plan's values, their gradients and what its operations keep between forward and backward. */
    ACTIVATIONS,
    /** The largest workspace that any operation asked for, shared by all of them. */
    SCRATCH
}
