package io.basin.cpu;

import io.basin.Nullable;
import io.basin.device.Layer;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import org.bytedeco.dnnl.inner_product_backward_data;
import org.bytedeco.dnnl.inner_product_backward_weights;
import org.bytedeco.dnnl.inner_product_forward;
import org.bytedeco.dnnl.memory;

/** Fully connected layer; an image is flattened by the weights' layout, never by moving it. */
final class CpuDense extends CpuLinear {
    CpuDense(Dnnl dnnl, PlanContext scope, Layer.Dense spec, Tensor x) {
        super(dnnl, scope, x);
        Shape s = x.shape();
        Shape shape = Shape.of(s.dim(0), spec.out());
        Shape weightShape = s.sample().batched(spec.out());
        Layer.Param bias = spec.bias(s.sample());
        Choice choice = choose(shape, weightShape, bias, spec.relu());
        memory.desc plain = Dnnl.plain(weightShape, Dnnl.F32);
        plan(choice, shape, spec.weight(s.sample()), bias, plain, null, spec.relu());
    }

    private Choice choose(Shape shape, Shape weightShape, Layer.@Nullable Param bias, boolean relu) {
        memory.data_type type = Dnnl.type(scope.precision());
        memory.desc in = Dnnl.retyped(CpuLayout.of(x.layout()), x.shape(), type);
        memory.desc weights = Dnnl.any(weightShape, type);
        memory.desc out = Dnnl.any(shape, type);
        memory.desc biasDesc = biasDesc(bias);
        var forward = new inner_product_forward.primitive_desc(
                dnnl.engine,
                Dnnl.forward(scope.training()),
                in,
                weights,
                biasDesc,
                out,
                Dnnl.attributes(null, relu),
                false);
        if (!scope.training()) return new Choice(forward, null, null);
        memory.desc src = forward.src_desc();
        memory.desc dst = forward.dst_desc();
        memory.desc gradient = Dnnl.any(weightShape, Dnnl.F32);
        var backward = new inner_product_backward_weights.primitive_desc(
                dnnl.engine, src, gradient, biasDesc, dst, forward, Dnnl.attributes(), false);
        if (x.grad() == null) return new Choice(forward, backward, null);
        var data = new inner_product_backward_data.primitive_desc(
                dnnl.engine, src, weights, dst, forward, Dnnl.attributes(), false);
        return new Choice(forward, backward, data);
    }
}
