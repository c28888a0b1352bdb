package io.basin.device;

import io.basin.Api;
import io.basin.text.Require;

/**
 * Stochastic gradient descent: v = mu v + g + wd w; w -= lr[t] v; Nesterov: w -= lr[t] (g + wd w + mu v).
 *
 * @param momentum mu, in [0, 1), usually 0.9
 * @param weightDecay wd, usually 5e-4
 */
@Api
public record Sgd(double momentum, double weightDecay, boolean nesterov) implements Optimizer {
    public Sgd {
        Require.belowOne("momentum", momentum);
        Require.notNegative("weightDecay", weightDecay);
        if (nesterov && momentum == 0) throw new IllegalArgumentException("`nesterov` needs `momentum` above 0");
    }

    /** With a momentum of 0.9, a decay of 5e-4 and without Nesterov: the SWA paper's. */
    public Sgd() {
        this(0.9, 5e-4, false);
    }

    @Override
    public int moments() {
        return 1;
    }
}
