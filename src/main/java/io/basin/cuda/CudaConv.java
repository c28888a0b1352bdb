package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardData;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionBackwardFilter;
import static jcuda.jcudnn.JCudnn.cudnnConvolutionForward;

import io.basin.device.Initializer;
import io.basin.device.Parameter;
import io.basin.device.Scope;
import io.basin.device.Shape;
import io.basin.device.Spec;
import io.basin.device.Tensor;

/** Convolution by cuDNN; bias, residual and ReLU in one pass of ours over its result. */
final class CudaConv extends CudaOp {
    private final Spec.Conv spec;
    private final Tensor x;

    private CudaConv(CudaDevice device, Scope scope, Spec.Conv spec, Tensor x, Tensor residual) {
        super(device, scope, x, residual);
        this.spec = spec;
        this.x = x;
    }

    static CudaConv plan(CudaDevice device, Scope scope, Spec.Conv spec, Tensor x, Tensor residual) {
        CudaConv op = new CudaConv(device, scope, spec, x, residual);
        try {
            op.plan(residual);
            return op;
        } catch (RuntimeException e) {
            op.close();
            throw e;
        }
    }

    private int extent(int axis) {
        return (x.shape().dim(axis) + 2 * spec.pad() - spec.kernel()) / spec.stride() + 1;
    }

    private void plan(Tensor residual) {
        Tensor y = output(Shape.of(x.shape().dim(0), spec.out(), extent(2), extent(3)));
        Shape filter = Shape.of(spec.out(), x.shape().dim(1) / spec.groups(), spec.kernel(), spec.kernel());
        describe("filter " + filter);
        Parameter w = scope.weight("weight", filter, CudaLayout.of(filter), spec.init());
        Parameter b = spec.bias() ? bias(filter) : null;
        boolean tf32 = CudaContext.tf32(scope.precision());
        ConvShape shape = new ConvShape(device, undo, spec, tf32, x.shape(), filter, y.shape());
        Place source = value(x);
        Place weights = weight(w);
        Place target = value(y);
        Algorithms.Choice choice = shape.choose(ConvShape.Direction.FORWARD);
        Place workspace = place(scope.scratch(Math.max(1, choice.workspace())));
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

    private Parameter bias(Shape filter) {
        double bound = 1 / Math.sqrt((double) filter.elements() / spec.out());
        Shape vector = Shape.of(spec.out());
        return scope.vector("bias", vector, CudaLayout.of(vector), Initializer.uniform(bound));
    }

    private void planBackward(ConvShape shape, Place source, Place weights, Parameter w, Parameter b, Tensor residual) {
        Tensor y = output();
        Place dy = spec.relu() ? CudaPointwise.throughRelu(this, y) : grad(y);
        if (residual != null) passOn(residual, dy);
        CudaLayout layout = CudaLayout.of(y.layout());
        if (b != null) {
            CudaPointwise.columnSums(this, dy, weightGrad(b), layout.outer() * layout.inner(), layout.channels());
        }
        backward(vendor(filterGradient(shape, source, dy, weightGrad(w))));
        if (x.grad() != null) backward(vendor(dataGradient(shape, weights, dy, grad(x))));
    }

    private Runnable filterGradient(ConvShape shape, Place source, Place dy, Place dw) {
        Algorithms.Choice choice = shape.choose(ConvShape.Direction.FILTER);
        Place workspace = place(scope.scratch(Math.max(1, choice.workspace())));
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

    private Runnable dataGradient(ConvShape shape, Place weights, Place dy, Place dx) {
        Algorithms.Choice choice = shape.choose(ConvShape.Direction.DATA);
        Place workspace = place(scope.scratch(Math.max(1, choice.workspace())));
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
