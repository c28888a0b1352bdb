/**
 * Training in rounds by several workers, wherever these are.
 *
 * <p>Averaging weights over time is SWA, over runs a soup, over machines local SGD and DiLoCo: one idea. Here a round is a list of
 * shares, each a pure function of weights, optimizer state and a stretch of a schedule's tables; since batches and random numbers are
 * functions of (seed, step), any process can compute any share again to the same bits. So nothing has to be reliable but the
 * arithmetic: a {@link io.basin.rounds.Carrier} may lose workers, give a share to two of them or begin anew, and the weights come
 * out the same.
 *
 * <pre>
 *   RoundPlan      tables: lanes (seed, batch, rates), rounds of shares, the outer step
 *     -> RoundRun  publishes a round's weights, has a Carrier do the shares, combines them: OuterStep
 *     -> Carrier   threads, processes, a shared folder, Spark
 *     -> ShareRunner.run   the pure function
 * </pre>
 */
package io.basin.rounds;
