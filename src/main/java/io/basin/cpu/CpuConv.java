package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
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

    private final Layer.Conv spec;
    private final Tensor x;
    private final memory.data_type type;
    private final Shape shape;
    private final Shape weightShape;
    private final long[] stride;
    private final long[] pad;

    CpuConv(Dnnl dnnl, PlanContext scope, Layer.Conv spec, Tensor x, Tensor residual) {
        super(dnnl, scope);
        this.spec = spec;
        this.x = x;
        int in = x.shape().dim(1);
        type = in < FEW_CHANNELS ? Dnnl.F32 : Dnnl.type(scope.precision());
        stride = new long[] {spec.stride(), spec.stride()};
        pad = new long[] {spec.pad(), spec.pad()};
        shape = spec.output(scope.path(), x);
        int k = spec.kernel();
        int g = spec.groups();
        weightShape = g == 1 ? Shape.of(spec.out(), in, k, k) : Shape.of(g, spec.out() / g, in / g, k, k);
        plan(residual);
    }

    /** The three primitives of one layer, chosen together. */
    private record Choice(
            convolution_forward.primitive_desc forward,
            convolution_backward_weights.primitive_desc weights,
            convolution_backward_data.primitive_desc data) {
        boolean slow() {
            return Dnnl.slow(forward) || weights != null && Dnnl.slow(weights) || data != null && Dnnl.slow(data);
        }
    }

    /** Blocked layouts are the fastest, but their backward knows only multiples of a vector's channels. */
    private Choice choose(memory.desc bias, Tensor residual) {
        Choice free = choice(bias, residual, memory.format_tag.any);
        if (!free.slow()) return free;
        Choice channelsLast = choice(bias, residual, memory.format_tag.acdb);
        return channelsLast.slow() ? free : channelsLast;
    }

    private void plan(Tensor residual) {
        boolean training = scope.training();
        memory.desc bias = spec.bias() ? Dnnl.vector(spec.out()) : new memory.desc();
        Choice choice = choose(bias, residual);
        convolution_forward.primitive_desc pd = choice.forward();
        output(shape, pd.dst_desc());
        memory.desc master = training
                ? choice.weights().diff_weights_desc()
                : type == Dnnl.F32 ? pd.weights_desc() : Dnnl.plain(weightShape, Dnnl.F32);
        Parameter w = scope.parameter(spec.weight(x.shape().sample()), new CpuLayout(master));
        Parameter b = spec.bias() ? scope.parameter(spec.bias(x.shape().sample()), new CpuLayout(bias)) : null;
        Arg source = input(x, pd.src_desc());
        Call call = call(new convolution_forward(pd), pd)
                .with(DNNL_ARG_SRC, source)
                .with(DNNL_ARG_WEIGHTS, weightInForward(w, pd.weights_desc()))
                .with(DNNL_ARG_DST, value(output()));
        if (b != null) call.with(DNNL_ARG_BIAS, weight(b));
        if (residual != null) call.with(Dnnl.FIRST_POST_OP, input(residual, pd.dst_desc()));
        forward(call);
        if (training) planBackward(choice, source, w, b, residual);
    }

    private Choice choice(memory.desc bias, Tensor residual, memory.format_tag tag) {
        post_ops after = new post_ops();
        memory.desc out = new memory.desc(shape.toLongs(), type, tag);
        if (residual != null) {
            if (tag == memory.format_tag.any) out = Dnnl.retyped(CpuLayout.of(residual.layout()), shape, type);
            after.append_binary(algorithm.binary_add.value, out);
        }
        if (spec.relu()) after.append_eltwise(algorithm.eltwise_relu.value, 0, 0);
        primitive_attr attr = Dnnl.attributes();
        attr.set_post_ops(after);
        convolution_forward.primitive_desc forward = new convolution_forward.primitive_desc(
                dnnl.engine,
                Dnnl.forward(scope.training()),
                DIRECT,
                new memory.desc(x.shape().toLongs(), type, tag),
                Dnnl.any(weightShape, type),
                bias,
                out,
                stride,
                pad,
                pad,
                attr,
                false);
        if (!scope.training()) return new Choice(forward, null, null);
        return new Choice(forward, weightsDesc(forward, bias), x.grad() == null ? null : dataDesc(forward));
    }

    private convolution_backward_weights.primitive_desc weightsDesc(
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

    private convolution_backward_data.primitive_desc dataDesc(convolution_forward.primitive_desc hint) {
        return new convolution_backward_data.primitive_desc(
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
    }

    private void planBackward(Choice choice, Arg source, Parameter w, Parameter b, Tensor residual) {
        Arg dy = spec.relu() ? CpuPointwise.throughRelu(this, output()) : grad(output());
        if (residual != null && residual.grad() != null) passOn(residual, dy);
        Arg dw = weightGrad(w, choice.weights().diff_weights_desc());
        Call weights = call(new convolution_backward_weights(choice.weights()), choice.weights())
                .with(DNNL_ARG_SRC, source)
                .with(DNNL_ARG_DIFF_DST, dy)
                .with(DNNL_ARG_DIFF_WEIGHTS, dw);
        if (b != null) weights.with(DNNL_ARG_DIFF_BIAS, weightGrad(b));
        backward(weights);
        deliver(w, dw);
        if (choice.data() == null) return;
        convolution_backward_data.primitive_desc pd = choice.data();
        Arg dx = inputGrad(x, pd.diff_src_desc());
        backward(call(new convolution_backward_data(pd), pd)
                .with(DNNL_ARG_DIFF_DST, dy)
                .with(DNNL_ARG_WEIGHTS, weightInBackward(w, pd.weights_desc()))
                .with(DNNL_ARG_DIFF_SRC, dx));
        deliver(x, dx);
    }
}
