package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * The exponential moving average of the {@link Baseline}'s weights, taken after every step.
 *
 * @param decay of the average per step, in [0, 1); usually 0.999
 */
@Api
public record Ema(double decay) implements MethodSettings {
    public Ema {
        Require.belowOne("ema.decay", decay);
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Schedule sgd = Span.of(budget, stepsPerEpoch).sgd();
        int steps = sgd.steps();
        Averaging ema = Averaging.ema(steps, decay, true, Averaging.everyStep(steps, 0));
        return new Method(this, budget, stepsPerEpoch, sgd, ema, Product.AVERAGE);
    }
}
