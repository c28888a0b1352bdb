package io.basin.device;

import io.basin.Api;
import java.util.Locale;

/**
 * The formats of values and of products. Weights, momentum, averages, losses and batch-norm statistics are float32 in all of them,
 * and so is every sum: an average kept in bfloat16 stalls as soon as 1/(n+1) of a weight falls below half a unit in its last place.
 *
 * <table>
 *   <caption>By the name that {@code --precision} takes</caption>
 *   <tr><th>name</th><th>values, their gradients</th><th>convolutions' factors</th><th>dense layers' factors</th><th>where</th></tr>
 *   <tr><td>fp32</td><td>float32</td><td>float32; TF32 on a GPU that has it</td><td>float32</td><td>everywhere</td></tr>
 *   <tr><td>strict</td><td>float32</td><td>float32</td><td>float32</td><td>everywhere</td></tr>
 *   <tr><td>tf32</td><td>float32</td><td>TF32: 10 bits after the point</td><td>float32</td><td>GPUs from Ampere on</td></tr>
 *   <tr><td>bf16</td><td>bfloat16</td><td>bfloat16</td><td>bfloat16</td><td>GPUs from Ampere on, CPUs with such instructions</td></tr>
 * </table>
 */
@Api
public enum Precision {
    /** Float32 as PyTorch's default has it: a GPU may take tensor cores for convolutions. */
    FP32,
    /** Float32 throughout; on a GPU, tensor cores are not used. */
    STRICT,
    /** As {@link #FP32} on a GPU that has TF32, and refused elsewhere. */
    TF32,
    /** Bfloat16 values and products. */
    BF16;

    /** For headers: its name, and what that means on {@code device}, such as {@code fp32, convolutions in TF32}. */
    public String on(Device device) {
        String name = name().toLowerCase(Locale.ROOT);
        boolean rounds = this == TF32 || this == FP32 && device.supports(TF32);
        return rounds ? name + ", convolutions in TF32" : name;
    }
}
