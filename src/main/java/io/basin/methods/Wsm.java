package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;
import java.util.Arrays;
import java.util.stream.IntStream;

/**
 * Warm-up, stable, merge (Tian et al. 2025, arXiv 2507.17634): a constant rate after the warm-up, and a weighted mean of checkpoints in
 * place of the decay. With the rate's factors {@code w_i = 1 - sqrt(i / (k + 1))} of the decay that it stands for, checkpoint j of 0 to k
 * weighs {@code c_j = w_j - w_(j+1)}, {@code w_0 = 1}, {@code w_(k+1) = 0}; so {@code a = a + (1 - sqrt(j / (j + 1))) (w - a)}.
 *
 * @param start fraction of the budget after which checkpoints are merged, usually 0.8, where the decay would begin
 * @param models checkpoints at even distances after that at the start, the paper's k; usually 10
 */
@Api
public record Wsm(double start, int models) implements MethodSettings {
    public Wsm {
        Require.fraction("wsm.start", start);
        Require.atLeast("wsm.models", models, 1);
    }

    @Override
    public int models(Budget budget) {
        return models + 1;
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        span.requireLeft(span.rest());
        int first = span.start(start);
        int[] at = IntStream.rangeClosed(0, models)
                .map(j -> span.warm() + first - 1 + (int) Math.round((double) j * (span.rest() - first) / models))
                .distinct()
                .toArray();
        Schedule constant =
                span.warmed(Schedule.constant(span.rest(), budget.lr())).collecting(span.trained(Arrays.stream(at)));
        int[] merged = constant.collections();
        double[] alpha = new double[constant.steps()];
        for (int j = 0; j < merged.length; j++) alpha[merged[j]] = 1 - Math.sqrt(j / (j + 1.0));
        return new Method(this, budget, stepsPerEpoch, constant, Averaging.of(alpha), Product.AVERAGE);
    }
}
