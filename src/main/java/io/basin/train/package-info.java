/**
 * Training, of which this much is pure arithmetic: schedules as data.
 *
 * <p>What a run will do is two tables, made before it starts: {@link io.basin.train.Schedule} gives the learning rate of every
 * step and the steps after which a model is collected, {@link io.basin.train.Averaging} turns the collected steps into the weight
 * alpha of every step in {@code average += alpha (w - average)}. The tables are uploaded once and indexed by a counter on the
 * device. So warm-up, plateau, FGE's triangle, snapshot cosines, equal-weight and exponential averages need no code there, no
 * host in the loop, and cannot be frozen into a captured graph; a run can be printed and plotted before it starts; and resuming
 * needs only the counter.
 *
 * <p>Tables count in steps (updates), from 0. Epochs exist in {@link io.basin.train.Settings} and in a {@link
 * io.basin.train.Trainer}'s figures; {@link io.basin.train.Recipe} multiplies.
 */
package io.basin.train;
