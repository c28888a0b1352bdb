package io.basin.device;

/** One update of all parameters: v = mu v + g + wd w; w -= lr[t] v; if alpha[t] != 0, avg += alpha[t] (w - avg). */
public record Sgd(double momentum, double weightDecay, boolean nesterov) {}
