package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * Lookahead (Zhang et al. 2019, arXiv 1907.08610) around the {@link Baseline}'s updates: after every k-th one the slow weights a move,
 * {@code a = a + rate (w - a)}, and {@code w = a}. They are the result.
 *
 * <p>They begin as the weights after the first update, or after up to k, so that the last k end the run. Momentum goes on, as where the
 * paper maintains it.
 *
 * @param every k, usually the paper's 5
 * @param rate the paper's alpha, in (0, 1], usually 0.5
 */
@Api
public record Lookahead(int every, double rate) implements MethodSettings {
    public Lookahead {
        Require.atLeast("lookahead.every", every, 1);
        if (!(rate > 0 && rate <= 1)) {
            throw new IllegalArgumentException("`lookahead.rate` must lie in (0, 1], got " + rate);
        }
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        Schedule sgd = span.sgd();
        double[] alpha = new double[sgd.steps()];
        double[] pull = new double[alpha.length];
        int begin = span.from() + (alpha.length - 1 - span.from()) % every;
        alpha[begin] = 1;
        for (int s = begin + every; s < alpha.length; s += every) {
            alpha[s] = rate;
            pull[s] = 1;
        }
        Averaging slow = Averaging.of(alpha).pulling(pull);
        return new Method(this, budget, stepsPerEpoch, sgd, slow, Product.AVERAGE);
    }
}
