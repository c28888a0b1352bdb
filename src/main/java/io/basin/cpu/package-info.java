/**
 * The CPU device. Planning builds primitives, memory objects and argument maps once; a step runs down a list of them.
 *
 * <p>Layouts are oneDNN's own from the first convolution to the last; its reorders appear only where two primitives
 * disagree. Weights lie as backward produces their gradients. Only small and elementwise work is Java: drawing the
 * batch, the loss, and the update, whose loops HotSpot vectorises.
 *
 * <p>Fused into one pass are convolution, bias and ReLU; convolution and the residual that is added to it; batch norm and
 * ReLU. Batch norm, a residual and ReLU, as post-activation residual nets have them, are one operation in two passes: oneDNN's
 * batch norm adds nothing, so that the sum and its ReLU are a pass over the result where it lies.
 */
package io.basin.cpu;
