package io.basin.cuda;

import io.basin.Nullable;
import io.basin.device.Layer;
import io.basin.device.Op;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;

/**
 * Batch normalisation, residual and ReLU by kernels of our own, see {@code kernels/norm.cu}: cuDNN's are slow on float32 with
 * channels last, and take the running statistics' factor by value.
 *
 * <p>Training takes three launches each way, evaluation one.
 */
@SuppressWarnings("NullAway.Init") // Only planEvaluation makes the launches that measure.
final class CudaBatchNorm extends CudaOp implements Op.BatchNorm {
    private static final String FILE = "norm.cu";
    /** Of one channel: count, mean and sum of squared deviations, in double. */
    private static final int MOMENTS = 24;
    /** Of one channel and slab: two sums in float32, and in double for the population. */
    private static final int PARTIAL = 8;

    private static final int EXACT_PARTIAL = 16;

    private final Layer.BatchNorm spec;
    private final Tensor x;
    private final @Nullable Tensor residual;
    private final int channels;
    private final int pixels;
    private final int rows;
    private final RowGrid grid;
    private final Parameter scale;
    private final Parameter shift;
    private final KernelArg runningMean;
    private final KernelArg runningVar;
    private final KernelArg batchMean;
    private final KernelArg batchVar;
    private final KernelArg partial;
    private final KernelArg pivot;
    private Launch measure;
    private Launch merge;
    private Launch reset;
    private Launch adopt;
    private Launch commit;
    private long measured;

    CudaBatchNorm(CudaDevice device, PlanContext scope, Layer.BatchNorm spec, Tensor x, @Nullable Tensor residual) {
        super(device, scope, x, residual);
        this.spec = spec;
        this.x = x;
        this.residual = residual;
        output(x.shape());
        CudaLayout layout = CudaLayout.of(x.layout());
        channels = layout.channels();
        pixels = layout.inner();
        rows = layout.outer() * pixels;
        grid = RowGrid.of(rows, channels, elementBytes());
        Shape sample = x.shape().sample();
        CudaLayout vector = CudaLayout.of(Shape.of(channels));
        scale = scope.parameter(spec.scale(sample), vector);
        shift = scope.parameter(spec.shift(sample), vector);
        Parameter mean = scope.statistic(spec.mean(sample));
        Parameter var = scope.statistic(spec.variance(sample));
        runningMean = place(mean.slot());
        runningVar = place(var.slot());
        batchMean = place(scope.kept(4L * channels));
        batchVar = place(scope.kept(4L * channels));
        int sums = scope.training() ? PARTIAL : EXACT_PARTIAL;
        partial = place(scope.inForward((long) sums * grid.slabs() * channels));
        pivot = place(scope.inForward(4L * channels));
        if (scope.training()) planTraining();
        else planEvaluation();
    }

    private Launch overRows(String kernel) {
        return grid.shape(launch(FILE, typed(kernel)));
    }

    private int elementBytes() {
        return narrow ? Short.BYTES : Float.BYTES;
    }

    private Launch perChannel(String kernel) {
        return kernel(FILE, kernel, channels);
    }

    private Launch warpPerChannel(String kernel) {
        return kernel(FILE, kernel, 32L * channels);
    }

    private Launch partialSums(String kernel) {
        return overRows(kernel).args(value(x), partial, pivot, rows, channels);
    }

    private void planTraining() {
        CudaConv.Bias bias = device.biases.remove(x.value());
        if (bias != null) bias.withdraw();
        forward(partialSums("moments"));
        forward(warpPerChannel("finalise")
                .args(partial, pivot, batchMean, batchVar, runningMean, runningVar)
                .args(bias == null ? null : weight(bias.parameter()))
                .args(spec.momentum(), rows, channels, grid.slabs()));
        forward(normalise(batchMean, batchVar));
        planBackward();
    }

    private Launch normalise(KernelArg mean, KernelArg var) {
        Launch launch =
                overRows("normalise").args(value(output()), value(x), residual == null ? null : value(residual));
        return affine(launch, mean, var).args((float) spec.eps(), rows, channels, spec.relu());
    }

    /** The arguments with which forward normalised: backward's ReLU asks for the same signs. */
    private Launch affine(Launch launch, KernelArg mean, KernelArg var) {
        return launch.args(mean, var, weight(scale), weight(shift));
    }

    private void planBackward() {
        KernelArg dy = grad(output());
        KernelArg g = residual != null && spec.relu() ? residualGrad(residual) : null;
        boolean masked = g != null;
        if (residual != null && !masked) passOn(residual, dy);
        KernelArg sums = place(scope.inBackward((long) PARTIAL * grid.slabs() * channels));
        Launch reduce = overRows("gradientSums").args(value(x), dy, masked ? value(output()) : null, g);
        float eps = (float) spec.eps();
        backward(affine(reduce, batchMean, batchVar).args(sums, eps, rows, channels, spec.relu()));
        backward(warpPerChannel("parameterGradients")
                .args(sums, batchVar, weightGrad(scale), weightGrad(shift), eps, channels, grid.slabs()));
        if (x.grad() == null) return;
        Launch launch = overRows("inputGradient").args(grad(x), value(x), g == null ? dy : g);
        backward(affine(launch, batchMean, batchVar)
                .args(weightGrad(scale), weightGrad(shift), eps, rows, channels, spec.relu() && !masked));
    }

    /** The gradient past the ReLU is the residual's, and needed even where no layer asks for that one. */
    private KernelArg residualGrad(Tensor residual) {
        return residual.grad() == null ? place(scope.inBackward(x.layout().bytes())) : grad(residual);
    }

    /** The population's statistics stay on the device from {@link #reset} to {@link #commit}. */
    private void planEvaluation() {
        forward(normalise(runningMean, runningVar));
        KernelArg population = place(CudaBatch.throughout(scope.kept((long) MOMENTS * channels)));
        measure = partialSums("measure");
        merge = warpPerChannel("merge").args(partial, pivot, population, batchMean, batchVar, 0, channels, 1);
        reset = perChannel("reset").args(population, channels);
        adopt = perChannel("adopt").args(runningMean, runningVar, batchMean, batchVar, channels);
        commit = perChannel("commit").args(runningMean, runningVar, population, channels);
    }

    private void requireEvaluation() {
        if (measure == null) throw new IllegalStateException(name() + ": a training plan measures no population");
    }

    @Override
    public void reset() {
        requireEvaluation();
        measured = 0;
        turn("reset", reset);
    }

    @Override
    public void measure(int samples) {
        requireEvaluation();
        int count = samples * pixels;
        RowGrid of = RowGrid.of(count, channels, elementBytes());
        of.shape(measure).set(3, count);
        merge.set(5, count);
        merge.set(7, of.slabs());
        turn("measure", measure);
        turn("measure", merge);
        measured += count;
    }

    @Override
    public void adopt() {
        requireEvaluation();
        turn("adopt", adopt);
    }

    @Override
    public void commit() {
        requireEvaluation();
        if (measured == 0) throw new IllegalStateException(name() + ": no statistics were measured");
        turn("commit", commit);
    }
}
