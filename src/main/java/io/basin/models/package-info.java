/**
 * Weights files as models: what one is, what several of them may be made into, and what they say together.
 *
 * <p>A file's header names its net, its data set and how its samples were read, so that a file alone is enough to measure it, and
 * where its weights come from, so that weights which have no common mean are not averaged silently. What several nets may always
 * share are predictions: members of an ensemble come from any runs and any nets of one data set.
 */
package io.basin.models;
