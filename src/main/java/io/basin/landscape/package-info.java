/**
 * Landscapes of the loss: curves that join optima, planes through them, rays out of them.
 *
 * <p>All of it is one operation, a combination of whole arenas with a few coefficients, followed by the same measurement:
 * batch-norm statistics for those weights, then loss and error on both parts of the data. Vectors are arenas as they lie, as
 * padding is zero and neither sums nor inner products depend on layout; only work on filters goes through the logical order.
 */
package io.basin.landscape;
