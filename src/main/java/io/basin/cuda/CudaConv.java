package io.basin.cuda;

import io.basin.Nullable;
import io.basin.cuda.ConvShape.Direction;
import io.basin.device.Arena;
import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import java.util.ArrayList;
import java.util.List;

/** Convolution by cuDNN; bias, residual and ReLU in one pass of ours over its result. */
final class CudaConv extends CudaOp {
    /**
     * A bias before batch norm, which takes it away again with the mean: in training nothing but the running mean shows it, and
     * its gradient is 0. A batch norm that is the only reader withdraws the passes that add it and that sum its gradient.
     */
    record Bias(CudaConv op, Parameter parameter, List<Launch> passes) {
        void withdraw() {
            passes.forEach(op::withdraw);
        }
    }

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
        ConvShape shape = new ConvShape(device, undo, spec, scope.precision(), x, filter, y);
        boolean first = scope.narrowed(w);
        KernelArg weights = operand(w);
        forward(call(shape, Direction.FORWARD, value(x), weights, value(y)));
        List<Launch> passes = new ArrayList<>();
        if (b != null || residual != null || spec.relu()) {
            passes.add(CudaPointwise.finish(this, y, b, residual, spec.relu()));
            forward(passes.get(0));
        }
        if (!scope.training()) return;
        KernelArg dy = spec.relu() ? CudaPointwise.throughRelu(this, y) : grad(y);
        if (residual != null) passOn(residual, dy);
        CudaLayout layout = CudaLayout.of(y.layout());
        if (b != null) {
            int rows = layout.outer() * layout.inner();
            passes.addAll(CudaPointwise.columnSums(this, dy, weightGrad(b), rows, layout.channels()));
        }
        KernelArg dw = narrow ? place(w.slot(), Arena.NARROW_GRADS) : weightGrad(w);
        backward(call(shape, Direction.FILTER, value(x), dy, dw));
        if (first && narrow) widenGradients(w, dw);
        if (x.grad() != null) backward(call(shape, Direction.DATA, weights, dy, grad(x)));
        if (b == null || residual != null || spec.relu()) return;
        device.biases.put(y.value(), new Bias(this, b, passes));
        undo.add("a bias that nothing has read", () -> {
            device.biases.remove(y.value());
            return 0;
        });
    }

    /** cuDNN leaves them in its inputs' type. The net's first convolution comes last in backward and widens all of them. */
    private void widenGradients(Parameter w, KernelArg narrowed) {
        Launch widen = launch("pointwise.cu", "widen").args(weightGrad(w), narrowed, 0);
        onBind(b -> {
            int elements = Math.toIntExact(b.memory(Arena.NARROW_GRADS).bytes() / 2);
            device.kernels.spread(widen, elements / 4).set(2, elements);
        });
        backward(widen);
    }

    private Runnable call(ConvShape shape, Direction direction, KernelArg a, KernelArg b, KernelArg to) {
        Algorithms.Choice choice = shape.choose(direction);
        long bytes = Math.max(1, choice.workspace());
        KernelArg workspace = place(scope.scratch(bytes, shape.scratch(direction, choice)));
        String call = "cudnnConvolution" + direction.call;
        return vendor(() -> Check.cudnn(
                shape.run(direction, choice, a.address(), b.address(), to.address(), workspace.address()), call));
    }
}
