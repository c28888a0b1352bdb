package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;
import java.util.stream.IntStream;

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
        Span span = Span.of(budget, stepsPerEpoch);
        Schedule sgd = span.sgd();
        int steps = sgd.steps();
        int[] trained = span.trained(IntStream.range(0, steps));
        Averaging ema = Averaging.ema(steps, decay, true, trained);
        return new Method(this, budget, stepsPerEpoch, sgd, ema, Product.AVERAGE);
    }
}
