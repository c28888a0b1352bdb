/**
 * Ensembles on the host: members' predictions in, metrics of every combination out; and weights files as models, which may be
 * members.
 *
 * <p><b>Files.</b> A file's header names its net, its data set and how its samples were read, so that a file alone is enough to
 * measure it, and where its weights come from, so that weights which have no common mean are not averaged silently. Several
 * nets may always share predictions: members of an ensemble come from any runs and any nets of one data set.
 *
 * <p><b>Streaming.</b> A {@link io.basin.ensemble.MemberSource} hands on one member's predictions after another. One pass gives
 * every prefix ensemble of 1 to k members, the vote, the weighted mean and ridge's Gram matrix; a member's predictions are not
 * kept, so memory grows only by a few counters with each member (while ridge is fitted, by the predictions of the held-out samples).
 *
 * <p><b>Probabilities, never logits.</b> Their mean is what the papers call the ensemble; logits have arbitrary offsets and a net
 * that is loud would outvote the others. Rows that are not probabilities, NaN included, are refused and not averaged away.
 *
 * <p><b>Fits use held-out data.</b> {@link io.basin.ensemble.Ridge#fit} takes only a
 * {@link io.basin.ensemble.HeldOut}, {@link io.basin.ensemble.Ridge#evaluate} only a {@link io.basin.ensemble.TestSet}, and
 * refuses one that holds the very samples that were fitted. The code that splits the data wraps each part once.
 *
 * <p>Everything is double precision: a data set's mean of 10,000 small differences must not depend on their order.
 */
package io.basin.ensemble;
