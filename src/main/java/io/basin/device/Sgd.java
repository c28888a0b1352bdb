package io.basin.device;

/** Stochastic gradient descent: v = mu v + g + wd w; w -= lr[t] v; Nesterov: w -= lr[t] (g + wd w + mu v). */
public record Sgd(double momentum, double weightDecay, boolean nesterov) implements Optimizer {
    @Override
    public int moments() {
        return 1;
    }
}
