/**
 * Methods as data: rates, averages, collections, and the models that predict. No device, no net.
 *
 * <p>What a run will do is two tables, made before it starts: {@link io.basin.methods.Schedule} gives the learning rate of every
 * step and the steps after which a model is collected, {@link io.basin.methods.Averaging} turns the collected steps into the weight
 * alpha of every step in {@code average += alpha (w - average)}, and, of methods that train on from their average, into the pull of
 * every step in {@code w += pull (average - w)}. The tables are uploaded once and indexed by a counter on the device. So warm-up,
 * plateau, FGE's triangle, snapshot cosines, equal-weight and exponential averages need no code there, no host in the loop, and
 * cannot be frozen into a captured graph; a run can be printed and plotted before it starts; and resuming needs only the counter.
 *
 * <p>Each published method is a record of its settings, {@link io.basin.methods.MethodSettings}, which plans a
 * {@link io.basin.methods.Method} for a {@link io.basin.methods.Budget}. Tables count in steps (updates), from 0; budgets in epochs.
 */
package io.basin.methods;
