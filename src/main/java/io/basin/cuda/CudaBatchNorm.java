package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.*;
import static jcuda.jcudnn.cudnnBatchNormMode.CUDNN_BATCHNORM_SPATIAL;

import io.basin.device.BatchNormOp;
import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.ParameterStore;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import jcuda.jcudnn.cudnnTensorDescriptor;

/**
 * Batch normalisation by cuDNN; running and population statistics by our own kernels, see {@code kernels/norm.cu}.
 *
 * <p>cuDNN would merge running statistics itself, but with a factor passed by value; it is asked for the batch's alone. It cannot
 * fuse ReLU in float32: training applies it where y lies, evaluation normalises with it in a kernel of ours.
 */
final class CudaBatchNorm extends CudaOp implements BatchNormOp {
    private static final String FILE = "norm.cu";
    /** Of one channel: count, mean and sum of squared deviations, in double. */
    private static final int MOMENTS = 24;

    private static final int PARTIAL = 16;
    private static final int MOST_SLABS = 128;

    private final Layer.BatchNorm spec;
    private final Tensor x;
    private final int channels;
    private final int pixels;
    private final Parameter scale;
    private final Parameter shift;
    private final KernelArg runningMean;
    private final KernelArg runningVar;
    private final KernelArg batchMean;
    private final KernelArg batchVar;
    private Launch measure;
    private Launch merge;
    private Launch reset;
    private Launch adopt;
    private Launch commit;
    private long measured;

    private CudaBatchNorm(CudaDevice device, PlanContext scope, Layer.BatchNorm spec, Tensor x) {
        super(device, scope, x);
        this.spec = spec;
        this.x = x;
        CudaLayout layout = CudaLayout.of(x.layout());
        channels = layout.channels();
        pixels = layout.inner();
        Shape sample = x.shape().sample();
        CudaLayout vector = CudaLayout.of(Shape.of(channels));
        scale = scope.parameter(spec.scale(sample), vector);
        shift = scope.parameter(spec.shift(sample), vector);
        ParameterStore.State mean = scope.statistic(spec.mean(sample));
        ParameterStore.State var = scope.statistic(spec.variance(sample));
        runningMean = place(mean.slot());
        runningVar = place(var.slot());
        // In training the second one is 1 / sqrt(var + eps), as cuDNN saves it.
        batchMean = place(scope.kept(4L * channels));
        batchVar = place(scope.kept(4L * channels));
    }

    static CudaBatchNorm plan(CudaDevice device, PlanContext scope, Layer.BatchNorm spec, Tensor x) {
        CudaBatchNorm op = new CudaBatchNorm(device, scope, spec, x);
        try {
            op.output(x.shape());
            if (scope.training()) op.planTraining();
            else op.planEvaluation();
            return op;
        } catch (RuntimeException e) {
            op.close();
            throw e;
        }
    }

    private Launch perChannel(String kernel) {
        return kernel(FILE, kernel, channels);
    }

    private void planTraining() {
        Tensor y = output();
        CudaContext cuda = device.context();
        cudnnTensorDescriptor data = Descriptors.tensor(undo, x.shape());
        cudnnTensorDescriptor vector = Descriptors.tensor(undo, Shape.of(1, channels));
        KernelArg source = value(x);
        KernelArg target = value(y);
        KernelArg gamma = weight(scale);
        KernelArg beta = weight(shift);
        forward(vendor(() -> Check.cudnn(
                cudnnBatchNormalizationForwardTraining(
                        cuda.cudnn,
                        CUDNN_BATCHNORM_SPATIAL,
                        cuda.one,
                        cuda.zero,
                        data,
                        source.address(),
                        data,
                        target.address(),
                        vector,
                        gamma.address(),
                        beta.address(),
                        0,
                        null,
                        null,
                        spec.eps(),
                        batchMean.address(),
                        batchVar.address()),
                "cudnnBatchNormalizationForwardTraining")));
        if (spec.relu()) forward(CudaPointwise.reluInPlace(this, y));
        forward(remember());
        planBackward(data, vector, source, gamma);
    }

    private Launch remember() {
        return perChannel("remember")
                .arg(runningMean)
                .arg(runningVar)
                .arg(batchMean)
                .arg(batchVar)
                .arg(spec.momentum())
                .arg(spec.eps())
                .arg(x.shape().dim(0) * pixels)
                .arg(channels);
    }

    private void planBackward(
            cudnnTensorDescriptor data, cudnnTensorDescriptor vector, KernelArg source, KernelArg gamma) {
        CudaContext cuda = device.context();
        KernelArg dy = spec.relu() ? CudaPointwise.throughRelu(this, output()) : grad(output());
        // cuDNN computes the input's gradient whether or not anyone reads it.
        KernelArg dx = x.grad() == null ? place(scope.inBackward(x.layout().bytes())) : grad(x);
        KernelArg dGamma = weightGrad(scale);
        KernelArg dBeta = weightGrad(shift);
        backward(vendor(() -> Check.cudnn(
                cudnnBatchNormalizationBackward(
                        cuda.cudnn,
                        CUDNN_BATCHNORM_SPATIAL,
                        cuda.one,
                        cuda.zero,
                        cuda.one,
                        cuda.zero,
                        data,
                        source.address(),
                        data,
                        dy.address(),
                        data,
                        dx.address(),
                        vector,
                        gamma.address(),
                        dGamma.address(),
                        dBeta.address(),
                        spec.eps(),
                        batchMean.address(),
                        batchVar.address()),
                "cudnnBatchNormalizationBackward")));
    }

    private void planEvaluation() {
        Tensor y = output();
        if (spec.relu()) {
            forward(kernel(FILE, "normalise", CudaPointwise.quads(x))
                    .arg(value(y))
                    .arg(value(x))
                    .arg(runningMean)
                    .arg(runningVar)
                    .arg(weight(scale))
                    .arg(weight(shift))
                    .arg((float) spec.eps())
                    .arg(Math.toIntExact(x.shape().elements()))
                    .arg(channels)
                    .arg(true));
        } else {
            planInference(y);
        }
        planMeasuring();
    }

    private void planInference(Tensor y) {
        CudaContext cuda = device.context();
        cudnnTensorDescriptor data = Descriptors.tensor(undo, x.shape());
        cudnnTensorDescriptor vector = Descriptors.tensor(undo, Shape.of(1, channels));
        KernelArg source = value(x);
        KernelArg target = value(y);
        KernelArg gamma = weight(scale);
        KernelArg beta = weight(shift);
        forward(vendor(() -> Check.cudnn(
                cudnnBatchNormalizationForwardInference(
                        cuda.cudnn,
                        CUDNN_BATCHNORM_SPATIAL,
                        cuda.one,
                        cuda.zero,
                        data,
                        source.address(),
                        data,
                        target.address(),
                        vector,
                        gamma.address(),
                        beta.address(),
                        runningMean.address(),
                        runningVar.address(),
                        spec.eps()),
                "cudnnBatchNormalizationForwardInference")));
    }

    /** The population's statistics stay on the device from {@link #reset} to {@link #commit}. */
    private void planMeasuring() {
        KernelArg population = place(CudaBatch.throughout(scope.kept((long) MOMENTS * channels)));
        KernelArg partial = place(scope.inForward((long) PARTIAL * MOST_SLABS * channels));
        KernelArg source = value(x);
        measure = CudaPointwise.columns(launch(FILE, "measure"), channels, 1)
                .arg(source)
                .arg(partial)
                .arg(0)
                .arg(channels);
        // A warp a channel.
        merge = kernel(FILE, "merge", 32L * channels)
                .arg(source)
                .arg(partial)
                .arg(population)
                .arg(batchMean)
                .arg(batchVar)
                .arg(0)
                .arg(channels)
                .arg(1);
        reset = perChannel("reset").arg(population).arg(channels);
        adopt = perChannel("adopt")
                .arg(runningMean)
                .arg(runningVar)
                .arg(batchMean)
                .arg(batchVar)
                .arg(channels);
        commit = perChannel("commit")
                .arg(runningMean)
                .arg(runningVar)
                .arg(population)
                .arg(channels);
    }

    private void requireEvaluation() {
        if (measure == null) throw new IllegalStateException(name() + ": a training plan measures no population");
    }

    @Override
    public void reset() {
        requireEvaluation();
        measured = 0;
        run(reset, "reset");
    }

    @Override
    public void measure(int rows) {
        requireEvaluation();
        int count = rows * pixels;
        int slabs = CudaPointwise.slabs(count);
        measure.set(2, count);
        CudaPointwise.columns(measure, channels, slabs);
        merge.set(5, count);
        merge.set(7, slabs);
        run(measure, "measure");
        run(merge, "measure");
        measured += count;
    }

    @Override
    public void adopt() {
        requireEvaluation();
        run(adopt, "adopt");
    }

    @Override
    public void commit() {
        requireEvaluation();
        if (measured == 0) throw new IllegalStateException(name() + ": no statistics were measured");
        run(commit, "commit");
    }
}
