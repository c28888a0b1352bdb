package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * The second and third phase of stochastic weight averaging in parallel (Gupta et al. 2020, arXiv 2001.02312): one trunk, then
 * workers with an order of samples each, which share the rest of the budget, averaged. It is not the paper's method as a whole: there
 * the trunk is trained in large batches, here in those of all other methods.
 *
 * @param start fraction of the budget that the trunk is trained for, usually 0.75
 * @param lr rate at the trunk's end and where workers begin, usually 0.01
 * @param low rate where workers end, usually 0.001
 * @param workers nets trained from the trunk's end, usually 3
 */
@Api
public record Swap(double start, double lr, double low, int workers) implements MethodSettings {
    public Swap {
        Require.fraction("swap.start", start);
        Require.rate("swap.lr", lr);
        Require.rate("swap.low", low);
        Require.atLeast("swap.workers", workers, 2);
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        int left = span.rest() - span.start(start);
        int each = left / workers;
        if (each < 1) {
            throw new IllegalArgumentException(
                    "`swap.workers` " + workers + " share " + left + " steps: lower `swap.start`, or name fewer");
        }
        // The trunk takes the steps that cannot be shared evenly, so that the whole budget is spent.
        int trunk = span.rest() - each * workers;
        span.requireLeft(trunk);
        Schedule shared = span.warmed(
                Schedule.swaPaper(trunk, budget.lr(), lr, trunk, trunk).collecting());
        Schedule worker = Schedule.linear(each, lr, low).collecting(each - 1);
        return new Method(
                name(),
                workers,
                worker,
                Averaging.none(each),
                Product.MEAN,
                shared,
                new Method.Origin(this, budget, stepsPerEpoch));
    }
}
