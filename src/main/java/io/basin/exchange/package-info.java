/**
 * Nets in and out: state dicts of other programs become weights files of ours, and those become files of PyTorch, NumPy and ONNX; and
 * what TensorBoard shows of a training.
 */
package io.basin.exchange;
