/**
 * libtorch as the peer: the oracle of golden tests and the opponent of the benchmark, built once for both.
 *
 * <p>Everything here that touches libtorch runs in a process of its own ({@link io.basin.torch.GoldenProcess} and the
 * benchmark's children), because libtorch brings its own OpenMP runtime and two of them in one JVM fight over the cores.
 * Only {@link io.basin.torch.RawTensors}, {@link io.basin.torch.GoldenSpec} and {@code GoldenProcess} are safe to load
 * beside Basin's engine.
 */
package io.basin.torch;
