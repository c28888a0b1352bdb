package io.basin.device;

import io.basin.Api;
import java.util.Arrays;
import java.util.SplittableRandom;

/**
 * Gives a parameter its first values. Initializers made here are equal where they fill alike, and so are {@link Layer}s with
 * them; make your own a record for that, as a lambda equals only itself.
 */
@Api
@FunctionalInterface
public interface Initializer {
    /**
     * Fills {@code values} in logical order.
     *
     * @param shape of the parameter, in PyTorch's order
     * @param seed differs between parameters and between runs; the same seed gives the same bits everywhere
     */
    void fill(float[] values, Shape shape, long seed);

    /** First values of the bias beside a weight of so many inputs: PyTorch's default, U(-1/sqrt(fan-in), 1/sqrt(fan-in)). */
    default Initializer bias(long fanIn) {
        return uniform(1 / Math.sqrt((double) fanIn));
    }

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

    /** Of {@link #fanIn}. */
    record FanIn() implements Initializer {
        @Override
        public void fill(float[] values, Shape shape, long seed) {
            uniform(1 / Math.sqrt((double) shape.elements() / shape.dim(0))).fill(values, shape, seed);
        }
    }

    /** Of {@link #uniform}. */
    record Uniform(double bound) implements Initializer {
        @Override
        public void fill(float[] values, Shape shape, long seed) {
            SplittableRandom random = new SplittableRandom(seed);
            for (int i = 0; i < values.length; i++) values[i] = (float) ((2 * random.nextDouble() - 1) * bound);
        }
    }

    /** Of {@link #constant}. */
    record Constant(float value) implements Initializer {
        @Override
        public void fill(float[] values, Shape shape, long seed) {
            Arrays.fill(values, value);
        }
    }
}
