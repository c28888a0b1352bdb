package io.basin.methods;

import java.math.BigDecimal;
import java.math.MathContext;
import java.util.Locale;

/** A budget in steps: of the whole, of its warm-up, and of the rest. */
record Span(Budget budget, int perEpoch, int steps, int warm, int rest) {
    static Span of(Budget budget, int perEpoch) {
        int steps = steps(budget.epochs(), perEpoch);
        int warm = (int) Math.round(budget.warmUp() * perEpoch);
        return new Span(budget, perEpoch, steps, warm, steps - warm);
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

    /** The papers' baseline over the whole budget. */
    Schedule sgd() {
        return warmed(Schedule.sgdPaper(rest, budget.lr()));
    }

    Schedule warmed(Schedule schedule) {
        return schedule.warmUp(warm);
    }

    /** Steps from the warm-up to {@code fraction} of the rest. */
    int start(double fraction) {
        return Math.max(1, (int) Math.round(fraction * rest));
    }

    /** Steps after {@link #start}, at least {@code least}. */
    int room(String name, double fraction, int least) {
        int room = rest - start(fraction);
        if (room >= least) return room;
        throw new IllegalArgumentException("`" + name + "` " + fraction + " leaves " + room + " of " + rest
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
            throw new IllegalArgumentException(String.format(
                    Locale.ROOT,
                    "`%s` %s does not divide the %s epochs that follow `%s`; %s would",
                    name,
                    number(cycle),
                    number(left),
                    startName,
                    number(near)));
        }
        return (int) whole;
    }

    private static String number(double epochs) {
        if (Math.abs(epochs) < 1e-4 && epochs != 0) return String.format(Locale.ROOT, "%.3g", epochs);
        return new BigDecimal(epochs)
                .round(new MathContext(6))
                .stripTrailingZeros()
                .toPlainString();
    }
}
