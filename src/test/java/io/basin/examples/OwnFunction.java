package io.basin.examples;

import io.basin.device.Elementwise;

/** A pointwise function and its derivative, on every device: swish (Ramachandran et al. 2017). Net: {@code g.elementwise(x, new OwnFunction())}. */
public final class OwnFunction implements Elementwise {
    public String name() {
        return "own-swish";
    }

    public float value(float x) {
        return (float) (x / (1 + Math.exp(-x)));
    }

    public float slope(float x) {
        double s = 1 / (1 + Math.exp(-x));
        return (float) (s + x * s * (1 - s));
    }

    public String cudaValue() {
        return "x / (1 + expf(-x))";
    }

    public String cudaSlope() {
        return "(1 + x * (1 - 1 / (1 + expf(-x)))) / (1 + expf(-x))";
    }
}
