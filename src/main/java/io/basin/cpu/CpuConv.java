package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.Nullable;
import io.basin.device.Layer;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import org.bytedeco.dnnl.convolution_backward_data;
import org.bytedeco.dnnl.convolution_backward_weights;
import org.bytedeco.dnnl.convolution_forward;
import org.bytedeco.dnnl.memory;

/** Convolution with bias, residual and ReLU in one pass. */
final class CpuConv extends CpuLinear {
    private static final int DIRECT = algorithm.convolution_direct.value;
    /** Below this many input channels bfloat16 has no fast kernels: such a layer, in practice the first, stays float32. */
    private static final int FEW_CHANNELS = 8;

    private final Layer.Conv spec;
    private final @Nullable Tensor residual;
    private final Layer.@Nullable Param bias;
    private final memory.data_type type;
    private final Shape shape;
    private final Shape weightShape;
    private final long[] stride;
    /** Elements between neighbours that a kernel reads. */
    private final long[] skipped;

    private final long[] pad;

    CpuConv(Dnnl dnnl, PlanContext scope, Layer.Conv spec, Tensor x, @Nullable Tensor residual) {
        super(dnnl, scope, x);
        this.spec = spec;
        this.residual = residual;
        Shape sample = x.shape().sample();
        bias = spec.bias(sample);
        int in = sample.dim(0);
        type = in < FEW_CHANNELS ? Dnnl.F32 : Dnnl.type(scope.precision());
        Layer.Window v = spec.vertical();
        Layer.Window h = spec.horizontal();
        stride = new long[] {v.stride(), h.stride()};
        skipped = new long[] {v.dilation() - 1, h.dilation() - 1};
        pad = new long[] {v.pad(), h.pad()};
        shape = spec.output(scope.path(), x);
        int g = spec.groups();
        weightShape = g == 1
                ? Shape.of(spec.out(), in, v.kernel(), h.kernel())
                : Shape.of(g, spec.out() / g, in / g, v.kernel(), h.kernel());
        Choice choice = choose();
        memory.desc evaluated = type == Dnnl.F32 ? choice.forward().weights_desc() : Dnnl.plain(weightShape, Dnnl.F32);
        plan(choice, shape, spec.weight(sample), bias, evaluated, residual, spec.relu());
    }

    /** Blocked layouts are the fastest, but their backward knows only multiples of a vector's channels. */
    private Choice choose() {
        Choice free = choice(memory.format_tag.any);
        if (!free.slow()) return free;
        Choice channelsLast = choice(memory.format_tag.acdb);
        return channelsLast.slow() ? free : channelsLast;
    }

    private Choice choice(memory.format_tag tag) {
        memory.desc in = new memory.desc(x.shape().toLongs(), type, tag);
        memory.desc out = new memory.desc(shape.toLongs(), type, tag);
        if (residual != null && tag == memory.format_tag.any) {
            out = Dnnl.retyped(CpuLayout.of(residual.layout()), shape, type);
        }
        convolution_forward.primitive_desc forward = forward(in, out);
        if (!scope.training()) return new Choice(forward, null, null);
        in = forward.src_desc();
        out = forward.dst_desc();
        memory.desc gradient = Dnnl.any(weightShape, Dnnl.F32);
        memory.desc weights = Dnnl.any(weightShape, type);
        var backward = new convolution_backward_weights.primitive_desc(
                dnnl.engine,
                DIRECT,
                in,
                gradient,
                biasDesc(bias),
                out,
                stride,
                skipped,
                pad,
                pad,
                forward,
                Dnnl.attributes(),
                false);
        if (x.grad() == null) return new Choice(forward, backward, null);
        var data = new convolution_backward_data.primitive_desc(
                dnnl.engine, DIRECT, in, weights, out, stride, skipped, pad, pad, forward, Dnnl.attributes(), false);
        return new Choice(forward, backward, data);
    }

    private convolution_forward.primitive_desc forward(memory.desc in, memory.desc out) {
        return new convolution_forward.primitive_desc(
                dnnl.engine,
                Dnnl.forward(scope.training()),
                DIRECT,
                in,
                Dnnl.any(weightShape, type),
                biasDesc(bias),
                out,
                stride,
                skipped,
                pad,
                pad,
                Dnnl.attributes(residual == null ? null : out, spec.relu()),
                false);
    }
}
