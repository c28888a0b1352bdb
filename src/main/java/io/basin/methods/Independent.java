package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * An ensemble of nets from initialisations of their own, which share the budget, each trained as the {@link Baseline}.
 *
 * @param runs nets, usually 2
 */
@Api
public record Independent(int runs) implements MethodSettings {
    public Independent {
        Require.atLeast("independent.runs", runs, 2);
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        int each = span.steps() / runs - span.warm();
        if (each < 1) {
            throw new IllegalArgumentException("`independent.runs` " + runs + " leaves each net too few steps");
        }
        if (span.done() > 0) {
            throw new IllegalArgumentException("independent: its nets have first weights of their own, and none goes on"
                    + " from a file: leave it out, or leave out `done`");
        }
        Schedule one = span.warmed(span.annealed(each).collecting(each - 1));
        return new Method(
                name(),
                runs,
                one,
                Averaging.none(one.steps()),
                Product.MEMBERS,
                null,
                new Method.Origin(this, budget, stepsPerEpoch));
    }
}
