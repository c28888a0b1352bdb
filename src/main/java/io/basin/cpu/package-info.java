/**
 * The CPU device. Planning builds primitives, memory objects and argument maps once; a step runs down a list of them.
 *
 * <p>Layouts are oneDNN's own from the first convolution to the last; its reorders appear only where two primitives
 * disagree. Weights lie as backward produces their gradients. Only what is small or elementwise is Java: drawing the
 * batch, the loss, and the update, whose loops HotSpot vectorises.
 */
package io.basin.cpu;
