package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import org.bytedeco.dnnl.inner_product_backward_data;
import org.bytedeco.dnnl.inner_product_backward_weights;
import org.bytedeco.dnnl.inner_product_forward;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.post_ops;
import org.bytedeco.dnnl.primitive_attr;

/** Fully connected layer; an image is flattened by the weights' layout, never by moving it. */
final class CpuDense extends CpuOp {
    private final Layer.Dense spec;
    private final Tensor x;
    private final memory.data_type type;
    private final Shape shape;
    private final Shape weightShape;

    CpuDense(Dnnl dnnl, PlanContext scope, Layer.Dense spec, Tensor x) {
        super(dnnl, scope);
        this.spec = spec;
        this.x = x;
        type = Dnnl.type(scope.precision());
        shape = Shape.of(x.shape().dim(0), spec.out());
        Shape s = x.shape();
        weightShape =
                s.rank() == 2 ? Shape.of(spec.out(), s.dim(1)) : Shape.of(spec.out(), s.dim(1), s.dim(2), s.dim(3));
        plan();
    }

    private void plan() {
        boolean training = scope.training();
        memory.desc bias = spec.bias() ? Dnnl.vector(spec.out()) : new memory.desc();
        inner_product_forward.primitive_desc pd = forwardDesc(bias);
        output(shape, pd.dst_desc());
        inner_product_backward_weights.primitive_desc gradient = training
                ? new inner_product_backward_weights.primitive_desc(
                        dnnl.engine,
                        pd.src_desc(),
                        Dnnl.any(weightShape, Dnnl.F32),
                        bias,
                        pd.dst_desc(),
                        pd,
                        Dnnl.attributes(),
                        false)
                : null;
        memory.desc master = training ? gradient.diff_weights_desc() : Dnnl.plain(weightShape, Dnnl.F32);
        Parameter w = scope.parameter(spec.weight(x.shape().sample()), new CpuLayout(master));
        Parameter b = spec.bias() ? scope.parameter(spec.bias(x.shape().sample()), new CpuLayout(bias)) : null;
        Arg source = input(x, pd.src_desc());
        Call call = call(new inner_product_forward(pd), pd)
                .with(DNNL_ARG_SRC, source)
                .with(DNNL_ARG_WEIGHTS, weightInForward(w, pd.weights_desc()))
                .with(DNNL_ARG_DST, value(output()));
        if (b != null) call.with(DNNL_ARG_BIAS, weight(b));
        forward(call);
        if (training) planBackward(pd, gradient, source, w, b);
    }

    private inner_product_forward.primitive_desc forwardDesc(memory.desc bias) {
        primitive_attr attr = Dnnl.attributes();
        if (spec.relu()) {
            post_ops after = new post_ops();
            after.append_eltwise(algorithm.eltwise_relu.value, 0, 0);
            attr.set_post_ops(after);
        }
        return new inner_product_forward.primitive_desc(
                dnnl.engine,
                Dnnl.forward(scope.training()),
                Dnnl.retyped(CpuLayout.of(x.layout()), x.shape(), type),
                Dnnl.any(weightShape, type),
                bias,
                Dnnl.any(shape, type),
                attr,
                false);
    }

    private void planBackward(
            inner_product_forward.primitive_desc hint,
            inner_product_backward_weights.primitive_desc gradient,
            Arg source,
            Parameter w,
            Parameter b) {
        Arg dy = spec.relu() ? CpuPointwise.throughRelu(this, output()) : grad(output());
        Arg dw = weightGrad(w, gradient.diff_weights_desc());
        Call weights = call(new inner_product_backward_weights(gradient), gradient)
                .with(DNNL_ARG_SRC, source)
                .with(DNNL_ARG_DIFF_DST, dy)
                .with(DNNL_ARG_DIFF_WEIGHTS, dw);
        if (b != null) weights.with(DNNL_ARG_DIFF_BIAS, weightGrad(b));
        backward(weights);
        deliver(w, dw);
        if (x.grad() == null) return;
        inner_product_backward_data.primitive_desc pd = new inner_product_backward_data.primitive_desc(
                dnnl.engine,
                hint.src_desc(),
                Dnnl.any(weightShape, type),
                hint.dst_desc(),
                hint,
                Dnnl.attributes(),
                false);
        Arg dx = inputGrad(x, pd.diff_src_desc());
        backward(call(new inner_product_backward_data(pd), pd)
                .with(DNNL_ARG_DIFF_DST, dy)
                .with(DNNL_ARG_WEIGHTS, weightInBackward(w, pd.weights_desc()))
                .with(DNNL_ARG_DIFF_SRC, dx));
        deliver(x, dx);
    }
}
