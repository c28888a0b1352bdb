package io.basin.device;

/** log(1 + exp(x)): a function of one's own, as a user would write it. */
public final class Softplus implements Elementwise {
    @Override
    public String name() {
        return "softplus";
    }

    @Override
    public float value(float x) {
        return (float) Math.log1p(Math.exp(x));
    }

    @Override
    public float slope(float x) {
        return (float) (1 / (1 + Math.exp(-x)));
    }

    @Override
    public String cudaValue() {
        return "(float)log1p(exp((double)x))";
    }

    @Override
    public String cudaSlope() {
        return "(float)(1 / (1 + exp(-(double)x)))";
    }
}
