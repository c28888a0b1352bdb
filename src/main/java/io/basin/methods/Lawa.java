package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * Latest weight averaging (Kaddour 2022, arXiv 2209.14981): the mean of the {@link Baseline}'s newest weights at ends of epochs.
 *
 * @param epochs whose last weights are averaged, usually 3
 */
@Api
public record Lawa(int epochs) implements MethodSettings {
    public Lawa {
        Require.atLeast("lawa.epochs", epochs, 1);
    }

    @Override
    public int models(Budget budget) {
        return epochs;
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        Schedule sgd = span.sgd();
        Schedule collecting = sgd.collecting(span.trained(span.epochEnds()));
        Averaging last = Averaging.lawa(sgd.steps(), epochs, collecting.collections());
        return new Method(this, budget, stepsPerEpoch, collecting, last, Product.AVERAGE);
    }
}
