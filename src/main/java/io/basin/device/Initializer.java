package io.basin.device;

/** Gives a parameter its first values. */
@FunctionalInterface
public interface Initializer {
    /**
     * Fills {@code values} in logical order.
     *
     * @param shape of the parameter, in PyTorch's order
     * @param seed differs between parameters and between runs; the same seed gives the same bits everywhere
     */
    void fill(float[] values, Shape shape, long seed);

    /** PyTorch's default for convolutions and dense layers: U(-1/sqrt(fan-in), 1/sqrt(fan-in)). */
    static Initializer fanIn() {
        return (values, shape, seed) ->
                uniform(1 / Math.sqrt((double) shape.elements() / shape.dim(0))).fill(values, shape, seed);
    }

    /** U(-bound, bound). */
    static Initializer uniform(double bound) {
        return (values, shape, seed) -> {
            java.util.SplittableRandom random = new java.util.SplittableRandom(seed);
            for (int i = 0; i < values.length; i++) values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
        };
    }

    static Initializer constant(float value) {
        return (values, shape, seed) -> java.util.Arrays.fill(values, value);
    }
}
