/**
 * Nets on devices: a {@link io.basin.train.Model} is a net with its memory, {@link io.basin.train.Splits} are its data, {@link
 * io.basin.train.Training} moves its weights step by step through a method's tables ({@link io.basin.methods}), a {@link
 * io.basin.train.Trainer} drives that to its end in a folder such that a run killed at any moment goes on with the same bits, and
 * an {@link io.basin.train.Evaluator} measures.
 */
package io.basin.train;
