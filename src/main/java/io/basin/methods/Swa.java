package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;
import java.util.stream.IntStream;

/**
 * Stochastic weight averaging with a constant rate (Izmailov et al. 2018, arXiv 1803.05407): {@link Schedule#swaPaper}, and the
 * equal mean of what is collected from the start to the end of the run.
 *
 * @param start fraction of the budget after which the rate is reached and averaging begins, usually 0.75
 * @param lr rate from there on, usually 0.01
 * @param cycle epochs between collections; must divide what follows the start, 0 for a tenth of it
 */
@Api
public record Swa(double start, double lr, double cycle) implements MethodSettings {
    public Swa {
        Require.fraction("swa.start", start);
        Require.rate("swa.lr", lr);
        Require.notNegative("swa.cycle", cycle);
    }

    public Swa(double start, double lr) {
        this(start, lr, 0);
    }

    /** The cycle where none is named. */
    public static double usualCycle(Budget budget, double start) {
        return budget.after(start) / 10;
    }

    private int cycles(Budget budget) {
        return cycle == 0 ? 10 : (int) Math.round(budget.after(start) / cycle);
    }

    @Override
    public int models(Budget budget) {
        // A net from a file is not collected itself.
        boolean begins = budget.done() < budget.warmUp() + start * (budget.epochs() - budget.warmUp());
        return cycles(budget) + (begins ? 1 : 0);
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Schedule swa = schedule(Span.of(budget, stepsPerEpoch));
        Averaging mean = Averaging.swa(swa.steps(), swa.collections());
        return new Method(this, budget, stepsPerEpoch, swa, mean, Product.AVERAGE);
    }

    /** Collections at whole parts of what follows the start, rounded to steps, the last one at the run's end. */
    Schedule schedule(Span span) {
        int first = span.start(start);
        int cycles = cycle == 0 ? 10 : span.parts("swa.cycle", cycle, start, 1, "swa.start");
        int room = Math.max(1, span.first() - first);
        // A net from a file is not collected itself, as in the published code.
        int[] at = IntStream.iterate(0, k -> k + 1)
                .map(k -> first + (int) Math.round((double) k * room / cycles) - 1)
                .takeWhile(s -> s < span.end())
                .filter(s -> s >= span.done())
                .distinct()
                .toArray();
        return span.warmed(
                Schedule.swaPaper(span.end(), span.budget().lr(), lr, first, 1).collecting(at));
    }
}
