package io.basin.device;

import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Gives a parameter its first values. Those made here are equal where they fill alike, and so are the {@link Spec}s that have
 * them; make your own a record for that, for a lambda equals only itself.
 */
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
        return new FanIn();
    }

    /** U(-bound, bound). */
    static Initializer uniform(double bound) {
        return new Uniform(bound);
    }

    static Initializer constant(float value) {
        return new Constant(value);
    }

    /** What {@link #fanIn} makes. */
    record FanIn() implements Initializer {
        @Override
        public void fill(float[] values, Shape shape, long seed) {
            uniform(1 / Math.sqrt((double) shape.elements() / shape.dim(0))).fill(values, shape, seed);
        }
    }

    /** What {@link #uniform} makes. */
    record Uniform(double bound) implements Initializer {
        @Override
        public void fill(float[] values, Shape shape, long seed) {
            SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < values.length; i++) values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
        }
    }

    /** What {@link #constant} makes. */
    record Constant(float value) implements Initializer {
        @Override
        public void fill(float[] values, Shape shape, long seed) {
            Arrays.fill(values, value);
        }
    }
}
