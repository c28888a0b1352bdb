package io.basin.nn;

import io.basin.device.Initializer;
import io.basin.device.Shape;
import java.util.SplittableRandom;

/** First values of weights. Shapes are (out, in, ...): fan-in is everything but the first extent. */
public final class Initialisers {
    /** PyTorch's default for convolutions and dense layers: U(-1/sqrt(fan-in), 1/sqrt(fan-in)). */
    public static final Initializer PYTORCH = Initializer.fanIn();

    /** He et al. 2015 (arXiv 1502.01852), fan-in: N(0, 2/fan-in). */
    public static final Initializer HE = new Normal(false);

    /** The variant of the residual nets' published code: N(0, 2/(kernel height x width x out)). */
    public static final Initializer HE_FAN_OUT = new Normal(true);

    private record Normal(boolean outward) implements Initializer {
        @Override
        public void fill(float[] values, Shape shape, long seed) {
            normal(values, Math.sqrt(2.0 / (outward ? fanOut(shape) : fanIn(shape))), seed);
        }
    }

    private Initialisers() {}

    private static int fanIn(Shape shape) {
        return Math.toIntExact(shape.elements() / shape.dim(0));
    }

    private static double fanOut(Shape shape) {
        return shape.rank() == 4 ? (double) shape.dim(0) * shape.dim(2) * shape.dim(3) : shape.dim(0);
    }

    /** Box and Muller's transform, in pairs. */
    private static void normal(float[] w, double sigma, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        for (int i = 0; i < w.length; i += 2) {
            double r = sigma * StrictMath.sqrt(-2 * StrictMath.log(1 - random.nextDouble()));
            double angle = 2 * Math.PI * random.nextDouble();
            w[i] = (float) (r * StrictMath.cos(angle));
            if (i + 1 < w.length) w[i + 1] = (float) (r * StrictMath.sin(angle));
        }
    }
}
