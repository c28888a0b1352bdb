package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.device.Scope;
import io.basin.device.Shape;
import io.basin.device.Spec;
import io.basin.device.Tensor;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.pooling_backward;
import org.bytedeco.dnnl.pooling_forward;

/** Maximum and average pooling. */
final class CpuPool extends CpuOp {
    CpuPool(Dnnl dnnl, Scope scope, Spec.Pool spec, Tensor x) {
        super(dnnl, scope);
        boolean max = spec.kind() == Spec.PoolKind.MAX;
        int kind = max ? algorithm.pooling_max.value : algorithm.pooling_avg_exclude_padding.value;
        long[] kernel = {spec.kernel(), spec.kernel()};
        long[] stride = {spec.stride(), spec.stride()};
        long[] dilation = {0, 0};
        long[] pad = {spec.pad(), spec.pad()};
        memory.desc in = CpuLayout.of(x.layout());
        Shape s = x.shape();
        Shape shape = Shape.of(s.dim(0), s.dim(1), extent(s.dim(2), spec), extent(s.dim(3), spec));
        pooling_forward.primitive_desc pd = new pooling_forward.primitive_desc(
                dnnl.engine,
                Dnnl.forward(scope.training()),
                kind,
                in,
                Dnnl.any(shape, in.get_data_type()),
                stride,
                kernel,
                dilation,
                pad,
                pad,
                Dnnl.attributes(),
                false);
        output(shape, pd.dst_desc());
        Call call =
                call(new pooling_forward(pd), pd).with(DNNL_ARG_SRC, value(x)).with(DNNL_ARG_DST, value(output()));
        Arg winners = null;
        if (max && scope.training()) {
            memory.desc d = pd.workspace_desc();
            winners = arg(d, scope.kept(d.get_size()));
            call.with(DNNL_ARG_WORKSPACE, winners);
        }
        forward(call);
        if (!scope.training() || x.grad() == null) return;
        pooling_backward.primitive_desc back = new pooling_backward.primitive_desc(
                dnnl.engine, kind, in, pd.dst_desc(), stride, kernel, dilation, pad, pad, pd, Dnnl.attributes(), false);
        Call backward = call(new pooling_backward(back), back)
                .with(DNNL_ARG_DIFF_DST, grad(output()))
                .with(DNNL_ARG_DIFF_SRC, grad(x));
        if (winners != null) backward.with(DNNL_ARG_WORKSPACE, winners);
        backward(backward);
    }

    private static int extent(int size, Spec.Pool spec) {
        return (size + 2 * spec.pad() - spec.kernel()) / spec.stride() + 1;
    }
}
