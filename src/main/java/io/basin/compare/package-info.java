/**
 * Comparisons: many methods, one budget, several seeds, one honest table.
 *
 * <p>What is chosen (weights of a combiner, ridge's lambda) is chosen on a validation part cut from the training set; the test
 * set is read once per finished model. The types {@link io.basin.ensemble.HeldOut} and {@link io.basin.ensemble.TestSet} keep
 * it so.
 */
package io.basin.compare;
