package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.device.Initializer;
import io.basin.device.Parameter;
import io.basin.device.Scope;
import io.basin.device.Shape;
import io.basin.device.Spec;
import io.basin.device.Tensor;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;

/**
 * Convolution with bias, residual and ReLU in one pass.
 *
 * <p>Weights live in the layout in which backward produces their gradient, for the update needs both in one order;
 * forward and backward-data reorder them where they prefer another, which costs a few microseconds a layer.
 */
final class CpuConv extends CpuOp {
    private static final int DIRECT = algorithm.convolution_direct.value;
    /** Below this many input channels bfloat16 has no fast kernels: such a layer, in practice the first, stays float32. */
    private static final int FEW_CHANNELS = 8;

    private final Spec.Conv spec;
    private final Tensor x;
    private final memory.data_type type;
    private final Shape shape;
    private final Shape weightShape;
    private final long[] stride;
    private final long[] pad;

    CpuConv(Dnnl dnnl, Scope scope, Spec.Conv spec, Tensor x, Tensor residual) {
        super(dnnl, scope);
        this.spec = spec;
        this.x = x;
        int in = x.shape().dim(1);
        type = in < FEW_CHANNELS ? Dnnl.F32 : Dnnl.type(scope.precision());
        stride = new long[] {spec.stride(), spec.stride()};
        pad = new long[] {spec.pad(), spec.pad()};
        shape = Shape.of(x.shape().dim(0), spec.out(), extent(2), extent(3));
        int k = spec.kernel();
        int g = spec.groups();
        weightShape = g == 1 ? Shape.of(spec.out(), in, k, k) : Shape.of(g, spec.out() / g, in / g, k, k);
        plan(residual);
    }

    private int extent(int axis) {
        return (x.shape().dim(axis) + 2 * spec.pad() - spec.kernel()) / spec.stride() + 1;
    }

    private void plan(Tensor residual) {
        boolean training = scope.training();
        memory.desc bias = spec.bias() ? Dnnl.vector(spec.out()) : new memory.desc();
        convolution_forward.primitive_desc pd = forwardDesc(bias, residual);
        output(shape, pd.dst_desc());
        convolution_backward_weights.primitive_desc gradient = training ? gradientDesc(pd, bias) : null;
        memory.desc master = training
                ? gradient.diff_weights_desc()
                : type == Dnnl.F32 ? pd.weights_desc() : Dnnl.plain(weightShape, Dnnl.F32);
        Shape logical = Shape.of(spec.out(), x.shape().dim(1) / spec.groups(), spec.kernel(), spec.kernel());
        Parameter w = scope.weight("weight", logical, new CpuLayout(master), spec.init());
        int fanIn = Math.toIntExact(logical.elements() / spec.out());
        Parameter b = !spec.bias()
                ? null
                : scope.vector(
                        "bias", Shape.of(spec.out()), new CpuLayout(bias), Initializer.uniform(1 / Math.sqrt(fanIn)));
        Arg source = input(x, pd.src_desc());
        Call call = call(new convolution_forward(pd), pd)
                .with(DNNL_ARG_SRC, source)
                .with(DNNL_ARG_WEIGHTS, weightInForward(w, pd.weights_desc()))
                .with(DNNL_ARG_DST, value(output()));
        if (b != null) call.with(DNNL_ARG_BIAS, weight(b));
        if (residual != null) call.with(Dnnl.FIRST_POST_OP, input(residual, pd.dst_desc()));
        forward(call);
        if (training) planBackward(pd, gradient, source, w, b, residual);
    }

    private convolution_forward.primitive_desc forwardDesc(memory.desc bias, Tensor residual) {
        post_ops after = new post_ops();
        memory.desc out = Dnnl.any(shape, type);
        if (residual != null) {
            out = Dnnl.retyped(CpuLayout.of(residual.layout()), shape, type);
            after.append_binary(algorithm.binary_add.value, out);
        }
        if (spec.relu()) after.append_eltwise(algorithm.eltwise_relu.value, 0, 0);
        primitive_attr attr = Dnnl.attributes();
        attr.set_post_ops(after);
        return new convolution_forward.primitive_desc(
                dnnl.engine,
                Dnnl.forward(scope.training()),
                DIRECT,
                Dnnl.any(x.shape(), type),
                Dnnl.any(weightShape, type),
                bias,
                out,
                stride,
                pad,
                pad,
                attr,
                false);
    }

    private convolution_backward_weights.primitive_desc gradientDesc(
            convolution_forward.primitive_desc hint, memory.desc bias) {
        return new convolution_backward_weights.primitive_desc(
                dnnl.engine,
                DIRECT,
                hint.src_desc(),
                Dnnl.any(weightShape, Dnnl.F32),
                bias,
                hint.dst_desc(),
                stride,
                pad,
                pad,
                hint,
                Dnnl.attributes(),
                false);
    }

    private void planBackward(
            convolution_forward.primitive_desc hint,
            convolution_backward_weights.primitive_desc gradient,
            Arg source,
            Parameter w,
            Parameter b,
            Tensor residual) {
        Arg dy = spec.relu() ? CpuPointwise.throughRelu(this, output()) : grad(output());
        if (residual != null && residual.grad() != null) passOn(residual, dy);
        Arg dw = weightGrad(w, gradient.diff_weights_desc());
        Call weights = call(new convolution_backward_weights(gradient), gradient)
                .with(DNNL_ARG_SRC, source)
                .with(DNNL_ARG_DIFF_DST, dy)
                .with(DNNL_ARG_DIFF_WEIGHTS, dw);
        if (b != null) weights.with(DNNL_ARG_DIFF_BIAS, weightGrad(b));
        backward(weights);
        deliver(w, dw);
        if (x.grad() == null) return;
        convolution_backward_data.primitive_desc pd = new convolution_backward_data.primitive_desc(
                dnnl.engine,
                DIRECT,
                hint.src_desc(),
                Dnnl.any(weightShape, type),
                hint.dst_desc(),
                stride,
                pad,
                pad,
                hint,
                Dnnl.attributes(),
                false);
        Arg dx = inputGrad(x, pd.diff_src_desc());
        backward(call(new convolution_backward_data(pd), pd)
                .with(DNNL_ARG_DIFF_DST, dy)
                .with(DNNL_ARG_WEIGHTS, weightInBackward(w, pd.weights_desc()))
                .with(DNNL_ARG_DIFF_SRC, dx));
        deliver(x, dx);
    }
}
