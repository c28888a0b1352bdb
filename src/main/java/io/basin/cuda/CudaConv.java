package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardData;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardFilter;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionForward;

import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;

/** Convolution by cuDNN; bias, residual and ReLU in one pass of ours over its result. */
final class CudaConv extends CudaOp {
    private final Layer.Conv spec;
    private final Tensor x;

    private CudaConv(CudaDevice device, PlanContext scope, Layer.Conv spec, Tensor x, Tensor residual) {
        super(device, scope, x, residual);
        this.spec = spec;
        this.x = x;
    }

    static CudaConv plan(CudaDevice device, PlanContext scope, Layer.Conv spec, Tensor x, Tensor residual) {
        CudaConv op = new CudaConv(device, scope, spec, x, residual);
        try {
            op.plan(residual);
            return op;
        } catch (RuntimeException e) {
            op.close();
            throw e;
        }
    }

    private void plan(Tensor residual) {
        Shape sample = x.shape().sample();
        Tensor y = output(spec.output(scope.path(), x));
        Shape filter = spec.weight(sample).shape();
        describe("filter " + filter);
        Parameter w = scope.parameter(spec.weight(sample), CudaLayout.of(filter));
        Parameter b = spec.bias() ? scope.parameter(spec.bias(sample), CudaLayout.of(Shape.of(spec.out()))) : null;
        boolean tf32 = CudaContext.tf32(scope.precision());
        ConvShape shape = new ConvShape(device, undo, spec, tf32, x.shape(), filter, y.shape());
        KernelArg source = value(x);
        KernelArg weights = weight(w);
        KernelArg target = value(y);
        Algorithms.Choice choice = shape.choose(ConvShape.Direction.FORWARD);
        KernelArg workspace = place(scope.scratch(Math.max(1, choice.workspace())));
        CudaContext cuda = device.context();
        forward(vendor(() -> Check.cudnn(
                cudnnConvolutionForward(
                        cuda.cudnn,
                        cuda.one,
                        shape.x,
                        source.address(),
                        shape.w,
                        weights.address(),
                        shape.conv,
                        choice.algorithm(),
                        workspace.address(),
                        choice.workspace(),
                        cuda.zero,
                        shape.y,
                        target.address()),
                "cudnnConvolutionForward")));
        if (b != null || residual != null || spec.relu()) {
            forward(CudaPointwise.finish(this, y, b, residual, spec.relu()));
        }
        if (scope.training()) planBackward(shape, source, weights, w, b, residual);
    }

    private void planBackward(
            ConvShape shape, KernelArg source, KernelArg weights, Parameter w, Parameter b, Tensor residual) {
        Tensor y = output();
        KernelArg dy = spec.relu() ? CudaPointwise.throughRelu(this, y) : grad(y);
        if (residual != null) passOn(residual, dy);
        CudaLayout layout = CudaLayout.of(y.layout());
        if (b != null) {
            CudaPointwise.columnSums(this, dy, weightGrad(b), layout.outer() * layout.inner(), layout.channels());
        }
        backward(vendor(filterGradient(shape, source, dy, weightGrad(w))));
        if (x.grad() != null) backward(vendor(dataGradient(shape, weights, dy, grad(x))));
    }

    private Runnable filterGradient(ConvShape shape, KernelArg source, KernelArg dy, KernelArg dw) {
        Algorithms.Choice choice = shape.choose(ConvShape.Direction.FILTER);
        KernelArg workspace = place(scope.scratch(Math.max(1, choice.workspace())));
        CudaContext cuda = device.context();
        return () -> Check.cudnn(
                cudnnConvolutionBackwardFilter(
                        cuda.cudnn,
                        cuda.one,
                        shape.x,
                        source.address(),
                        shape.y,
                        dy.address(),
                        shape.conv,
                        choice.algorithm(),
                        workspace.address(),
                        choice.workspace(),
                        cuda.zero,
                        shape.w,
                        dw.address()),
                "cudnnConvolutionBackwardFilter");
    }

    private Runnable dataGradient(ConvShape shape, KernelArg weights, KernelArg dy, KernelArg dx) {
        Algorithms.Choice choice = shape.choose(ConvShape.Direction.DATA);
        KernelArg workspace = place(scope.scratch(Math.max(1, choice.workspace())));
        CudaContext cuda = device.context();
        return () -> Check.cudnn(
                cudnnConvolutionBackwardData(
                        cuda.cudnn,
                        cuda.one,
                        shape.w,
                        weights.address(),
                        shape.y,
                        dy.address(),
                        shape.conv,
                        choice.algorithm(),
                        workspace.address(),
                        choice.workspace(),
                        cuda.zero,
                        shape.x,
                        dx.address()),
                "cudnnConvolutionBackwardData");
    }
}
