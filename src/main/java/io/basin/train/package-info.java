/**
 * Training: {@link io.basin.train.Plan} puts a net's forward and backward pass on a device, {@link io.basin.train.Training} records
 * a step of it and replays it through a method's tables ({@link io.basin.methods}), {@link io.basin.train.Trainer} keeps a run's
 * folder such that a run killed at any moment goes on with the same bits.
 */
package io.basin.train;
