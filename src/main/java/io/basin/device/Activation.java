package io.basin.device;

import io.basin.Api;
import org.apache.commons.statistics.distribution.NormalDistribution;

/** Smooth activations that devices and ONNX know: the cpu device takes oneDNN's own kernels for them. */
@Api
public sealed interface Activation extends Elementwise {
    /** x Phi(x) by the error function, PyTorch's default and not the approximation by tanh (Hendrycks and Gimpel 2016, arXiv 1606.08415). */
    record Gelu() implements Activation {
        private static final NormalDistribution NORMAL = NormalDistribution.of(0, 1);

        @Override
        public String name() {
            return "gelu";
        }

        @Override
        public float value(float x) {
            return (float) (x * NORMAL.cumulativeProbability(x));
        }

        @Override
        public float slope(float x) {
            return (float) (NORMAL.cumulativeProbability(x) + x * NORMAL.density(x));
        }

        @Override
        public String cudaValue() {
            return "0.5f * x * (1 + erff(0.70710678f * x))";
        }

        @Override
        public String cudaSlope() {
            return "0.5f * (1 + erff(0.70710678f * x)) + 0.39894228f * x * expf(-0.5f * x * x)";
        }
    }

    /** x / (1 + exp(-x)), also called swish (Elfwing et al. 2017, arXiv 1702.03118). */
    record Silu() implements Activation {
        @Override
        public String name() {
            return "silu";
        }

        @Override
        public float value(float x) {
            return (float) (x / (1 + StrictMath.exp(-x)));
        }

        @Override
        public float slope(float x) {
            double s = 1 / (1 + StrictMath.exp(-x));
            return (float) (s + x * s * (1 - s));
        }

        @Override
        public String cudaValue() {
            return "x / (1 + expf(-x))";
        }

        @Override
        public String cudaSlope() {
            return "(1 + x * (1 - 1 / (1 + expf(-x)))) / (1 + expf(-x))";
        }
    }
}
