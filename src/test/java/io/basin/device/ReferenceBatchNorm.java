package io.basin.device;

/**
 * Batch normalisation by its definition, Ioffe and Szegedy 2015 (arXiv 1502.03167), algorithm 1.
 *
 * <pre>
 *   h = (x - mean) / sqrt(var + eps), var biased        y = relu(gamma h + beta + residual)
 *   dx = gamma / sqrt(var + eps) (dy - mean(dy) - h mean(dy h))
 * </pre>
 */
final class ReferenceBatchNorm extends ReferenceOp implements Op.BatchNorm {
    private final Layer.BatchNorm spec;
    private final Tensor x;
    private final Tensor residual;
    private final int channels;
    private final int plane;
    private final Parameter gamma;
    private final Parameter beta;
    private final Parameter mean;
    private final Parameter var;
    private final double[] batchMean;
    private final double[] batchVar;
    private final double[] sum;
    private final double[] squares;
    private long seen;

    ReferenceBatchNorm(PlanContext scope, Layer.BatchNorm spec, Tensor x, Tensor residual) {
        super(scope);
        this.spec = spec;
        this.x = x;
        this.residual = residual;
        channels = x.shape().dim(1);
        plane = size(x) / channels / x.shape().dim(0);
        Shape sample = x.shape().sample();
        gamma = scope.parameter(spec.scale(sample), new ReferenceDevice.Plain(channels));
        beta = scope.parameter(spec.shift(sample), new ReferenceDevice.Plain(channels));
        mean = scope.statistic(spec.mean(sample));
        var = scope.statistic(spec.variance(sample));
        batchMean = new double[channels];
        batchVar = new double[channels];
        sum = new double[channels];
        squares = new double[channels];
        output(x.shape());
        forward(this::compute);
        backward(this::gradient);
    }

    /** Calls {@code each} with the flat index of every element of channel c in the first rows. */
    private void elements(int c, int rows, java.util.function.IntConsumer each) {
        for (int n = 0; n < rows; n++) for (int i = 0; i < plane; i++) each.accept((n * channels + c) * plane + i);
    }

    private void statistics(int rows) {
        View xs = value(x);
        double count = (double) rows * plane;
        for (int c = 0; c < channels; c++) {
            double[] total = new double[2];
            elements(c, rows, i -> total[0] += xs.get(i));
            double m = total[0] / count;
            elements(c, rows, i -> total[1] += (xs.get(i) - m) * (xs.get(i) - m));
            batchMean[c] = m;
            batchVar[c] = total[1] / count;
        }
    }

    private void compute() {
        int rows = x.shape().dim(0);
        if (scope.training()) {
            statistics(rows);
            remember((double) rows * plane);
        } else {
            for (int c = 0; c < channels; c++) {
                batchMean[c] = view(mean.slot()).get(c);
                batchVar[c] = view(var.slot()).get(c);
            }
        }
        View xs = value(x);
        View ys = value(output());
        View added = residual == null ? new View(new double[size(x)], 0) : value(residual);
        for (int channel = 0; channel < channels; channel++) {
            int c = channel;
            double g = weight(gamma).get(c) / Math.sqrt(batchVar[c] + spec.eps());
            double shift = weight(beta).get(c);
            elements(c, rows, i -> {
                double y = g * (xs.get(i) - batchMean[c]) + shift + added.get(i);
                ys.set(i, spec.relu() ? Math.max(0, y) : y);
            });
        }
    }

    private void remember(double count) {
        double m = spec.momentum();
        double unbiased = count > 1 ? count / (count - 1) : 1;
        for (int c = 0; c < channels; c++) {
            View means = view(mean.slot());
            View vars = view(var.slot());
            means.set(c, (1 - m) * means.get(c) + m * batchMean[c]);
            vars.set(c, (1 - m) * vars.get(c) + m * unbiased * batchVar[c]);
        }
    }

    private void gradient() {
        View xs = value(x);
        View ys = value(output());
        View dys = grad(output());
        View dxs = grad(x);
        View dresidual = residual == null ? new View(new double[size(x)], 0) : grad(residual);
        int rows = x.shape().dim(0);
        double count = (double) rows * plane;
        for (int channel = 0; channel < channels; channel++) {
            int c = channel;
            double s = 1 / Math.sqrt(batchVar[c] + spec.eps());
            double[] total = new double[2];
            elements(c, rows, i -> {
                double dy = spec.relu() && ys.get(i) <= 0 ? 0 : dys.get(i);
                dresidual.set(i, dy);
                total[0] += dy;
                total[1] += dy * (xs.get(i) - batchMean[c]) * s;
            });
            double g = weight(gamma).get(c);
            elements(c, rows, i -> {
                double dy = spec.relu() && ys.get(i) <= 0 ? 0 : dys.get(i);
                double h = (xs.get(i) - batchMean[c]) * s;
                dxs.set(i, g * s * (dy - total[0] / count - h * total[1] / count));
            });
            weightGrad(beta).set(c, total[0]);
            weightGrad(gamma).set(c, total[1]);
        }
    }

    @Override
    public void reset() {
        java.util.Arrays.fill(sum, 0);
        java.util.Arrays.fill(squares, 0);
        seen = 0;
    }

    @Override
    public void measure(int rows) {
        statistics(rows);
        View xs = value(x);
        for (int channel = 0; channel < channels; channel++) {
            int c = channel;
            elements(c, rows, i -> {
                sum[c] += xs.get(i);
                squares[c] += xs.get(i) * xs.get(i);
            });
        }
        seen += (long) rows * plane;
    }

    @Override
    public void adopt() {
        for (int c = 0; c < channels; c++) {
            view(mean.slot()).set(c, batchMean[c]);
            view(var.slot()).set(c, batchVar[c]);
        }
    }

    @Override
    public void commit() {
        if (seen == 0) throw new IllegalStateException(name() + ": no statistics were measured");
        for (int c = 0; c < channels; c++) {
            double m = sum[c] / seen;
            view(mean.slot()).set(c, m);
            view(var.slot()).set(c, squares[c] / seen - m * m);
        }
    }
}
