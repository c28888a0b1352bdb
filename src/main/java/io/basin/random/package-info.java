/**
 * The random numbers of training: counter-based, so that every device draws the same ones.
 *
 * <p>A generator with a hidden state makes the draws depend on how often and by whom it was asked: an extra evaluation, a second
 * thread or a resumed run then changes the training. Here a draw is a pure function of what it is for, (seed, epoch, sample),
 * computed by {@link io.basin.random.Philox} from a counter and a key. Nothing is stored, nothing is saved in a checkpoint, and a
 * GPU thread computes its own draw from the step counter with the same few multiplications.
 *
 * <p>{@link io.basin.random.Permutation} is the order of samples in an epoch by the same idea: a keyed bijection
 * evaluated at one index, instead of a shuffled array that has to be built, uploaded and remembered.
 *
 * <p>{@link io.basin.random.Streams} keeps the uses apart: every use has its own number in the counter's last word.
 *
 * <p>The package depends on nothing, because every device depends on it.
 */
package io.basin.random;
