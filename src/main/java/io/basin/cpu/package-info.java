/**
 * The CPU device. Planning builds primitives, memory objects and argument maps once; a step runs down a list of them.
 *
 * <p>Layouts are oneDNN's own from the first convolution to the last; its reorders appear only where two primitives
 * disagree. Weights lie as backward produces their gradients. Only what is small or elementwise is Java: drawing the
 * batch, the loss, and the update, whose loops HotSpot vectorises.
 *
 * <p>Fused into one pass are convolution, bias and ReLU; convolution and the residual that is added to it; batch norm and
 * ReLU. Batch norm, a residual and ReLU, as post-activation residual nets have them, are not: {@code Layer.BatchNorm} takes no
 * residual on any device, because our residual nets are pre-activation and add convolutions only. A net that has the pattern
 * is planned as three operations.
 */
package io.basin.cpu;
