package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;

/** Conventional SGD with the budget's {@link Annealing}, as a rule the papers', and the last weights. */
@Api
public record Baseline() implements MethodSettings {
    @Override
    public String name() {
        return "sgd";
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Schedule sgd = Span.of(budget, stepsPerEpoch).sgd();
        return new Method(this, budget, stepsPerEpoch, sgd, Averaging.none(sgd.steps()), Product.LAST);
    }
}
