package io.basin.device;

/**
 * What activations are computed in. Weights, momentum, averages and batch-norm statistics are float32 in either: an
 * average kept in bfloat16 stalls as soon as 1/(n+1) of a weight falls below half a unit in its last place.
 */
public enum Precision {
    FP32,
    BF16
}
