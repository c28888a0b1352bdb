package io.basin.device;

/** Softmax and mean cross-entropy with label smoothing, the count of hits, and the gradient of the logits. */
public record CrossEntropy(double smoothing) {}
