package io.basin.device;

import io.basin.Api;

/**
 * What activations are computed in. Weights, momentum, averages and batch-norm statistics are float32 in all of them: an
 * average kept in bfloat16 stalls as soon as 1/(n+1) of a weight falls below half a unit in its last place.
 */
@Api
public enum Precision {
    /** Float32 throughout; on a GPU, tensor cores are not used. */
    FP32,
    /** Float32 whose products may be rounded to 10 mantissa bits; CUDA only. */
    TF32,
    /** Bfloat16 activations and products; CPU only. */
    BF16
}
