package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * Tail averaging (Polyak-Ruppert): the rate of {@link Swa}, and the mean of the weights after every step from the start on, none of
 * which is stored.
 *
 * @param start fraction of the budget after which the rate is reached and averaging begins, usually 0.75
 * @param lr rate from there on, usually 0.01
 */
@Api
public record Tail(double start, double lr) implements MethodSettings {
    public Tail {
        Require.fraction("tail.start", start);
        Require.rate("tail.lr", lr);
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        span.requireLeft(span.rest());
        int first = span.start(start);
        Schedule schedule = span.warmed(Schedule.swaPaper(span.rest(), budget.lr(), lr, first, 1))
                .collecting();
        int from = span.warm() + first - (span.done() < first ? 1 : 0);
        Averaging tail = Averaging.tail(span.steps(), from);
        return new Method(this, budget, stepsPerEpoch, schedule, tail, Product.AVERAGE);
    }
}
