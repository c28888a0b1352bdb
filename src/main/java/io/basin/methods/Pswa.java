package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * Periodic SWA (Guo, Jin and Liu 2022, arXiv 2201.00519): the equal mean a of the {@link Baseline}'s weights after every step of a
 * period, {@code a = a + (w - a)/(k + 1)} at its k-th step; at its end {@code w = a}, and the next period's mean begins anew. The last
 * period's mean is the result.
 *
 * @param period epochs; it becomes a little longer or shorter where it does not fit in whole, 0 for a tenth of the run
 */
@Api
public record Pswa(double period) implements MethodSettings {
    public Pswa {
        Require.notNegative("pswa.period", period);
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        Schedule sgd = span.sgd();
        int steps = sgd.steps() - span.from();
        double periods = period == 0 ? 10 : steps / (period * stepsPerEpoch);
        int count = (int) Math.max(1, Math.min(steps, Math.round(periods)));
        double[] alpha = new double[sgd.steps()];
        int[] ends = new int[count];
        for (int p = 0; p < count; p++) {
            int from = span.from() + (int) ((long) p * steps / count);
            int to = span.from() + (int) ((p + 1L) * steps / count);
            for (int s = from; s < to; s++) alpha[s] = 1.0 / (s - from + 1);
            ends[p] = to - 1;
        }
        Averaging mean = Averaging.of(alpha).pullingAt(ends);
        return new Method(this, budget, stepsPerEpoch, sgd, mean, Product.AVERAGE);
    }
}
