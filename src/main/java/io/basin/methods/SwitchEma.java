package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;
import java.util.stream.IntStream;

/**
 * Switch EMA (Li et al. 2024, arXiv 2402.09240): {@link Ema}, and at the end of every epoch training goes on from the average, {@code w = a}.
 *
 * @param decay of the average per step, in [0, 1); usually 0.999
 */
@Api
public record SwitchEma(double decay) implements MethodSettings {
    public SwitchEma {
        Require.belowOne("switch-ema.decay", decay);
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        Schedule sgd = span.sgd();
        Averaging ema = Averaging.ema(sgd.steps(), decay, true, span.trained(IntStream.range(0, sgd.steps())))
                .pullingAt(span.trained(span.epochEnds()));
        return new Method(this, budget, stepsPerEpoch, sgd, ema, Product.AVERAGE);
    }
}
