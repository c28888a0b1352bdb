package io.basin.methods;

import io.basin.Api;
import io.basin.text.Require;
import java.util.List;

/**
 * The steps that every method may spend on a net: as many as conventional training of it would get.
 *
 * @param epochs passes over the training set, all runs of a method together; may be a fraction
 * @param lr initial learning rate
 * @param warmUp epochs of linear warm-up, part of the budget
 * @param annealing how the rate of conventional training falls
 * @param done epochs of the net from which training goes on, part of the budget; 0 for first weights
 * @param multiples of {@code epochs} at which methods that go on at a constant or cyclic rate give a product, rising; 1 is usual
 */
@Api
public record Budget(
        double epochs, double lr, double warmUp, Annealing annealing, double done, List<Double> multiples) {
    /** Epochs of a run. */
    private static final double MOST = 1e6;

    private static final List<Double> ONE = List.of(1.0);

    public Budget {
        Require.positive("epochs", epochs);
        Require.rate("lr", lr);
        Require.notNegative("warmUp", warmUp);
        Require.given("annealing", annealing);
        Require.notNegative("done", done);
        multiples = List.copyOf(Require.given("multiples", multiples));
        if (warmUp >= epochs) {
            throw new IllegalArgumentException("`warmUp` must be shorter than `epochs` " + epochs + ", got " + warmUp);
        }
        double last = 0;
        for (double multiple : multiples) {
            Require.positive("multiples", multiple);
            if (multiple <= last) throw new IllegalArgumentException("`multiples` must rise, got " + multiples);
            last = multiple;
        }
        if (last > 1 && epochs * last > MOST) {
            throw new IllegalArgumentException("`multiples` " + last + " times `epochs` " + epochs + " is more than "
                    + (long) MOST + " epochs: name smaller ones");
        }
        if (done >= epochs * last) {
            throw new IllegalArgumentException("`done`: the net has " + done + " epochs behind it, and the budget is "
                    + epochs * last + ": nothing is left; raise `epochs`, or name larger `multiples`");
        }
    }

    public Budget(double epochs, double lr, double warmUp) {
        this(epochs, lr, warmUp, Annealing.SWA_PAPER, 0, ONE);
    }

    /** Without warm-up. */
    public Budget(double epochs, double lr) {
        this(epochs, lr, 0);
    }

    /** The same with another fall of the rate. */
    public Budget with(Annealing other) {
        return new Budget(epochs, lr, warmUp, other, done, multiples);
    }

    /** The same from a net on that was trained for {@code epochsDone} of it. */
    public Budget goingOn(double epochsDone) {
        return new Budget(epochs, lr, warmUp, annealing, epochsDone, multiples);
    }

    /** The same with products at several multiples of it. */
    public Budget upTo(List<Double> products) {
        return new Budget(epochs, lr, warmUp, annealing, done, products);
    }

    /** Epochs at the first product. */
    double first() {
        return epochs * multiples.get(0);
    }

    /** Epochs at the last product. */
    double last() {
        return epochs * multiples.get(multiples.size() - 1);
    }

    /** Epochs after {@code start}, a fraction of the epochs after warm-up and {@code done}, up to the first product. */
    double after(double start) {
        if (done == 0 && multiples.get(0) == 1) return (1 - start) * (epochs - warmUp);
        return first() - Math.max(done, warmUp + start * (epochs - warmUp));
    }

    /** Its part of {@link Method#identity}; defaults are left out, as they were before they could be chosen. */
    String identity() {
        return ", epochs=" + epochs + ", lr=" + lr + ", warmUp=" + warmUp
                + (annealing == Annealing.SWA_PAPER ? "" : ", schedule=" + annealing)
                + (done == 0 ? "" : ", done=" + done)
                + (multiples.equals(ONE) ? "" : ", budgets=" + multiples);
    }
}
