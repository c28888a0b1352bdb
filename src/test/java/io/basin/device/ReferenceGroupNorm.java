package io.basin.device;

/**
 * Group normalisation by its definition: z = (x - mean) / sqrt(var + eps) over a sample's group, y = z scale[c] + shift[c]; with g = dy
 * scale, dx = (g - mean(g) - z mean(g z)) / sqrt(var + eps).
 */
final class ReferenceGroupNorm extends ReferenceOp {
    private final Layer.GroupNorm spec;
    private final Tensor x;
    private final Parameter scale;
    private final Parameter shift;
    private final int channels;
    private final int pixels;
    private final int each;
    private final double[] z;
    private final double[] deviation;

    ReferenceGroupNorm(PlanContext scope, Layer.GroupNorm spec, Tensor x) {
        super(scope);
        this.spec = spec;
        this.x = x;
        channels = x.shape().dim(1);
        pixels = size(x) / x.shape().dim(0) / channels;
        each = channels / spec.groups() * pixels;
        z = new double[size(x)];
        deviation = new double[size(x) / each];
        Shape sample = x.shape().sample();
        scale = scope.parameter(spec.scale(sample), new ReferenceDevice.Plain(channels));
        shift = scope.parameter(spec.shift(sample), new ReferenceDevice.Plain(channels));
        output(x.shape());
        forward(this::normalise);
        backward(this::gradient);
    }

    /** In logical order a sample's group lies in one piece. */
    private static double mean(double[] values, int first, int count) {
        double sum = 0;
        for (int i = first; i < first + count; i++) sum += values[i];
        return sum / count;
    }

    private int channel(int i) {
        return i / pixels % channels;
    }

    private void normalise() {
        double[] squares = new double[size(x)];
        for (int i = 0; i < z.length; i++) z[i] = value(x).get(i);
        for (int g = 0; g < deviation.length; g++) {
            double mean = mean(z, g * each, each);
            for (int i = g * each; i < (g + 1) * each; i++) {
                z[i] -= mean;
                squares[i] = z[i] * z[i];
            }
            deviation[g] = Math.sqrt(mean(squares, g * each, each) + spec.eps());
            for (int i = g * each; i < (g + 1) * each; i++) z[i] /= deviation[g];
        }
        for (int i = 0; i < z.length; i++) {
            value(output())
                    .set(i, z[i] * weight(scale).get(channel(i)) + weight(shift).get(channel(i)));
        }
    }

    private void gradient() {
        double[] dScale = new double[channels];
        double[] dShift = new double[channels];
        double[] d = new double[z.length];
        double[] product = new double[z.length];
        for (int i = 0; i < z.length; i++) {
            double dy = grad(output()).get(i);
            dShift[channel(i)] += dy;
            dScale[channel(i)] += dy * z[i];
            d[i] = dy * weight(scale).get(channel(i));
            product[i] = d[i] * z[i];
        }
        double[] dx = new double[z.length];
        for (int g = 0; g < deviation.length; g++) {
            double level = mean(d, g * each, each);
            double slope = mean(product, g * each, each);
            for (int i = g * each; i < (g + 1) * each; i++) dx[i] = (d[i] - level - z[i] * slope) / deviation[g];
        }
        ReferencePointwise.put(dScale, weightGrad(scale));
        ReferencePointwise.put(dShift, weightGrad(shift));
        ReferencePointwise.put(dx, grad(x));
    }
}
