package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * Snapshot ensembles (Huang et al. 2017, arXiv 1704.00109): {@link Schedule#snapshotCosine}, and the mean of the probabilities of
 * the models at the ends of cosines.
 *
 * @param cycles cosines, so models, that share the budget; usually 3, the paper's 5
 * @param lr highest rate of a cosine, usually 0.1, the paper's 0.2
 */
@Api
public record Snapshot(int cycles, double lr) implements MethodSettings {
    public Snapshot {
        Require.atLeast("snapshot.cycles", cycles, 1);
        Require.rate("snapshot.lr", lr);
    }

    @Override
    public boolean restarts() {
        return true;
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Span span = Span.of(budget, stepsPerEpoch);
        if (span.done() > 0) {
            throw new IllegalArgumentException("snapshot: its cosines begin with first weights, and do not go on from a"
                    + " file: leave it out, or leave out `done`");
        }
        Require.steps("snapshot.cycles", cycles, 1, span.rest());
        Schedule cosines = span.warmed(Schedule.snapshotCosine(span.rest(), lr, cycles));
        return new Method(this, budget, stepsPerEpoch, cosines, Averaging.none(cosines.steps()), Product.MEMBERS);
    }
}
