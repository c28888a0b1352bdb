package io.basin.methods;

import io.basin.Api;
import io.basin.methods.Method.Product;
import io.basin.text.Require;

/**
 * SWA-Gaussian (Maddox et al. 2019, arXiv 1902.02476): nets drawn from the Gaussian of the models that SWA collects, whose
 * probabilities are averaged.
 *
 * @param swa what is collected
 * @param samples nets drawn, usually 10; the paper takes 30
 * @param rank columns of the low-rank part, the newest deviations kept, the paper's K; usually 20, and 0 for SWAG-diagonal
 * @param scale of the covariance; 1 is the paper's posterior, which the published code calls 0.5, and of SWAG-diagonal 1 too
 */
@Api
public record Swag(Swa swa, int samples, int rank, double scale) implements MethodSettings {
    public Swag {
        Require.given("swa", swa);
        Require.atLeast("swag.samples", samples, 1);
        if (rank != 0) Require.atLeast("swag.rank", rank, 2);
        Require.notNegative("swag.scale", scale);
    }

    @Override
    public int models(Budget budget) {
        return swa.models(budget);
    }

    @Override
    public Method plan(Budget budget, int stepsPerEpoch) {
        Schedule collecting = swa.schedule(Span.of(budget, stepsPerEpoch));
        int models = collecting.collections().length;
        if (models < 3) {
            throw new IllegalArgumentException("`swa.cycle` leaves SWAG " + models
                    + " models to collect, and it needs at least 3: shorten it, or lower `swa.start`");
        }
        return new Method(this, budget, stepsPerEpoch, collecting, Averaging.none(collecting.steps()), Product.SAMPLES);
    }
}
