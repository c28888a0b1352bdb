package io.basin.methods;

import io.basin.text.Format;
import java.math.BigDecimal;
import java.math.MathContext;
import java.util.stream.IntStream;

/**
 * A budget in steps.
 *
 * @param warm of its warm-up
 * @param rest of conventional training after that
 * @param done after the warm-up, where training goes on from a net
 * @param first after the warm-up, up to the first product of a method that goes on beyond the budget
 * @param end after the warm-up, up to the last
 */
record Span(Budget budget, int perEpoch, int warm, int rest, int done, int first, int end) {
    static Span of(Budget budget, int perEpoch) {
        int warm = (int) Math.round(budget.warmUp() * perEpoch);
        int done = budget.done() == 0 ? 0 : Math.max(0, steps(budget.done(), perEpoch) - warm);
        return new Span(
                budget,
                perEpoch,
                warm,
                steps(budget.epochs(), perEpoch) - warm,
                done,
                steps(budget.first(), perEpoch) - warm,
                steps(budget.last(), perEpoch) - warm);
    }

    /** Of conventional training, the warm-up too. */
    int steps() {
        return warm + rest;
    }

    private static int steps(double epochs, int perEpoch) {
        long steps = Math.round(epochs * perEpoch);
        if (steps < 1) {
            throw new IllegalArgumentException(
                    "`epochs` " + number(epochs) + " is less than one step, and an epoch has " + perEpoch
                            + ": train longer, name more, or take a smaller `batch`");
        }
        if (steps > Schedule.MOST_STEPS) {
            throw new IllegalArgumentException("`epochs` " + number(epochs) + " is " + steps
                    + " steps; a run has at most " + Schedule.MOST_STEPS + ": name fewer, or take a larger `batch`");
        }
        return (int) steps;
    }

    /** Conventional training over the whole budget. */
    Schedule sgd() {
        requireLeft(rest);
        return warmed(annealed(rest));
    }

    /** @param until where what goes on from a net ends */
    void requireLeft(int until) {
        if (done < until) return;
        throw new IllegalArgumentException("`done`: the net has " + number(budget.done())
                + " epochs behind it, and a method that does not go on beyond the budget has to begin before "
                + number((double) (warm + until) / perEpoch) + ": raise `epochs`, or leave that method out");
    }

    /** The rates of conventional training that takes {@code steps} after the warm-up. */
    Schedule annealed(int steps) {
        return budget.annealing().over(steps, budget.lr());
    }

    /** Those of {@code steps} that are trained; a net from a file has those before behind it. */
    int[] trained(IntStream steps) {
        return steps.filter(s -> s >= from()).toArray();
    }

    /** The first step of conventional training that is trained, {@link Method#begin}. */
    int from() {
        return (int) Math.round(budget.done() * perEpoch);
    }

    /** The end of every epoch, and that of the run: the newest weights are among the last few whatever the budget. */
    IntStream epochEnds() {
        int epochs = (steps() - 1) / perEpoch + 1;
        return IntStream.rangeClosed(1, epochs).map(e -> (int) Math.min(steps(), (long) e * perEpoch) - 1);
    }

    Schedule warmed(Schedule schedule) {
        return schedule.warmUp(warm);
    }

    /** Steps from the warm-up to {@code fraction} of the rest, or to where training goes on from a net. */
    int start(double fraction) {
        return Math.max(Math.max(1, done), (int) Math.round(fraction * rest));
    }

    /** Steps after {@link #start}, at least {@code least}. */
    int room(String name, double fraction, int least) {
        int room = first - start(fraction);
        if (room >= least) return room;
        throw new IllegalArgumentException("`" + name + "` " + fraction + " leaves " + room + " of " + first
                + " steps, and at least " + least + " are needed: lower it, or raise `epochs`");
    }

    /**
     * How many parts fill the epochs after {@code start}, each a {@code per}th of a {@code cycle}; a remainder would be trained
     * for nothing.
     *
     * @param per parts of a cycle that may stand alone at the end: 2 allows half a cycle
     */
    int parts(String name, double cycle, double start, int per, String startName) {
        double left = budget.after(start);
        double exact = per * left / cycle;
        long whole = Math.round(exact);
        if (whole > Schedule.MOST_STEPS) {
            throw new IllegalArgumentException(
                    "`" + name + "` " + number(cycle) + " is less than one step of any run: name a longer one");
        }
        if (whole < 1 || Math.abs(exact - whole) > 1e-6 * whole) {
            // Half a cycle at the end is the better end: it comes with a model.
            double near = per * left / Math.max(1, per == 2 ? whole - 1 | 1 : whole);
            throw new IllegalArgumentException(Format.of(
                    "`%s` %s does not divide the %s epochs that follow `%s`; %s would",
                    name, number(cycle), number(left), startName, number(near)));
        }
        return (int) whole;
    }

    private static String number(double epochs) {
        if (Math.abs(epochs) < 1e-4 && epochs != 0) return Format.of("%.3g", epochs);
        return new BigDecimal(epochs)
                .round(new MathContext(6))
                .stripTrailingZeros()
                .toPlainString();
    }
}
