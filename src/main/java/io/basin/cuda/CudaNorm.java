package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.*;
import static jcuda.jcudnn.cudnnBatchNormMode.CUDNN_BATCHNORM_SPATIAL;

import io.basin.device.Initializer;
import io.basin.device.Norm;
import io.basin.device.Parameter;
import io.basin.device.Scope;
import io.basin.device.Shape;
import io.basin.device.Spec;
import io.basin.device.Storage;
import io.basin.device.Tensor;
import jcuda.jcudnn.cudnnTensorDescriptor;

/**
 * Batch normalisation by cuDNN; running and population statistics by our own kernels, see {@code kernels/norm.cu}.
 *
 * <p>cuDNN would merge running statistics itself, but with a factor passed by value; it is asked for the batch's alone. It cannot
 * fuse ReLU in float32: training applies it where y lies, evaluation normalises with it in a kernel of ours.
 */
final class CudaNorm extends CudaOp implements Norm {
    private static final String FILE = "norm.cu";
    /** Of one channel: count, mean and sum of squared deviations, in double. */
    private static final int MOMENTS = 24;

    private static final int PARTIAL = 16;
    private static final int MOST_SLABS = 128;

    private final Spec.Norm spec;
    private final Tensor x;
    private final int channels;
    private final int pixels;
    private final Parameter scale;
    private final Parameter shift;
    private final Place runningMean;
    private final Place runningVar;
    private final Place batchMean;
    private final Place batchVar;
    private Launch measure;
    private Launch merge;
    private Launch reset;
    private Launch adopt;
    private Launch commit;
    private long measured;

    private CudaNorm(CudaDevice device, Scope scope, Spec.Norm spec, Tensor x) {
        super(device, scope, x);
        this.spec = spec;
        this.x = x;
        CudaLayout layout = CudaLayout.of(x.layout());
        channels = layout.channels();
        pixels = layout.inner();
        CudaLayout vector = CudaLayout.of(Shape.of(channels));
        scale = scope.vector("weight", Shape.of(channels), vector, Initializer.constant(1));
        shift = scope.vector("bias", Shape.of(channels), vector, Initializer.constant(0));
        Storage.State mean = scope.state("running_mean", channels, 0);
        Storage.State var = scope.state("running_var", channels, 1);
        runningMean = place(mean.slot());
        runningVar = place(var.slot());
        // In training the second one is 1 / sqrt(var + eps), as cuDNN saves it.
        batchMean = place(scope.kept(4L * channels));
        batchVar = place(scope.kept(4L * channels));
    }

    static CudaNorm plan(CudaDevice device, Scope scope, Spec.Norm spec, Tensor x) {
        CudaNorm op = new CudaNorm(device, scope, spec, x);
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
        Place source = value(x);
        Place target = value(y);
        Place gamma = weight(scale);
        Place beta = weight(shift);
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

    private void planBackward(cudnnTensorDescriptor data, cudnnTensorDescriptor vector, Place source, Place gamma) {
        CudaContext cuda = device.context();
        Place dy = spec.relu() ? CudaPointwise.throughRelu(this, output()) : grad(output());
        // cuDNN computes the input's gradient whether or not anyone reads it.
        Place dx = x.grad() == null ? place(scope.inBackward(x.layout().bytes())) : grad(x);
        Place dGamma = weightGrad(scale);
        Place dBeta = weightGrad(shift);
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
        Place source = value(x);
        Place target = value(y);
        Place gamma = weight(scale);
        Place beta = weight(shift);
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
        Place population = place(CudaBatch.throughout(scope.kept((long) MOMENTS * channels)));
        Place partial = place(scope.inForward((long) PARTIAL * MOST_SLABS * channels));
        Place source = value(x);
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
