package io.basin.device;

/** What a plan is for: TRAIN keeps what backward needs; EVALUATE runs forward only, on stored statistics. */
public enum Mode {
    TRAIN,
    EVALUATE
}
