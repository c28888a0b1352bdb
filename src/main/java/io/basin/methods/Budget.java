package io.basin.methods;

import io.basin.Api;
import io.basin.text.Require;

/**
 * What every method may spend on a net: what conventional training of it would get.
 *
 * @param epochs passes over the training set, all runs of a method together; may be a fraction
 * @param lr initial learning rate
 * @param warmUp epochs of linear warm-up, part of the budget
 */
@Api
public record Budget(double epochs, double lr, double warmUp) {
    public Budget {
        Require.positive("epochs", epochs);
        Require.rate("lr", lr);
        Require.notNegative("warmUp", warmUp);
        if (warmUp >= epochs) {
            throw new IllegalArgumentException("`warmUp` must be shorter than `epochs` " + epochs + ", got " + warmUp);
        }
    }

    /** Without warm-up. */
    public Budget(double epochs, double lr) {
        this(epochs, lr, 0);
    }

    /** Epochs that follow the warm-up and {@code start}, a fraction of what follows the warm-up. */
    double after(double start) {
        return (1 - start) * (epochs - warmUp);
    }
}
