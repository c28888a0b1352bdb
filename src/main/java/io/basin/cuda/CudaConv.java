package io.basin.cuda;

import io.basin.Nullable;
import io.basin.cuda.ConvShape.Direction;
import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;

/** Convolution by cuDNN; bias, residual and ReLU in one pass of ours over its result. */
final class CudaConv extends CudaOp {
    CudaConv(CudaDevice device, PlanContext scope, Layer.Conv spec, Tensor x, @Nullable Tensor residual) {
        super(device, scope, x, residual);
        planned(() -> plan(spec, x, residual));
    }

    private void plan(Layer.Conv spec, Tensor x, @Nullable Tensor residual) {
        Shape sample = x.shape().sample();
        Tensor y = output(spec.output(scope.path(), x));
        Shape filter = spec.weight(sample).shape();
        describe("filter " + filter);
        Parameter w = scope.parameter(spec.weight(sample), CudaLayout.of(filter));
        Layer.Param bias = spec.bias(sample);
        Parameter b = bias == null ? null : scope.parameter(bias, CudaLayout.of(bias.shape()));
        boolean tf32 = CudaContext.tf32(scope.precision());
        ConvShape shape = new ConvShape(device, undo, spec, tf32, x.shape(), filter, y.shape());
        forward(call(shape, Direction.FORWARD, value(x), weight(w), value(y)));
        if (b != null || residual != null || spec.relu()) {
            forward(CudaPointwise.finish(this, y, b, residual, spec.relu()));
        }
        if (!scope.training()) return;
        KernelArg dy = spec.relu() ? CudaPointwise.throughRelu(this, y) : grad(y);
        if (residual != null) passOn(residual, dy);
        CudaLayout layout = CudaLayout.of(y.layout());
        if (b != null) {
            CudaPointwise.columnSums(this, dy, weightGrad(b), layout.outer() * layout.inner(), layout.channels());
        }
        backward(call(shape, Direction.FILTER, value(x), dy, weightGrad(w)));
        if (x.grad() != null) backward(call(shape, Direction.DATA, weight(w), dy, grad(x)));
    }

    private Runnable call(ConvShape shape, Direction direction, KernelArg a, KernelArg b, KernelArg to) {
        Algorithms.Choice choice = shape.choose(direction);
        KernelArg workspace = place(scope.scratch(Math.max(1, choice.workspace())));
        String call = "cudnnConvolution" + direction.call;
        return vendor(() -> Check.cudnn(
                shape.run(direction, choice, a.address(), b.address(), to.address(), workspace.address()), call));
    }
}
