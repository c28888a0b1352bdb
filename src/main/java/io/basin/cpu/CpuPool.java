package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.device.Layer;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import org.bytedeco.dnnl.memory;
import org.bytedeco.dnnl.pooling_backward;
import org.bytedeco.dnnl.pooling_forward;

/** Maximum and average pooling. */
final class CpuPool extends CpuOp {
    private static final long[] DILATION = {0, 0};

    CpuPool(Dnnl dnnl, PlanContext scope, Layer.Pool spec, Tensor x) {
        super(dnnl, scope);
        boolean max = spec.kind() == Layer.PoolKind.MAX;
        int kind = max ? algorithm.pooling_max.value : algorithm.pooling_avg_exclude_padding.value;
        memory.desc in = CpuLayout.of(x.layout());
        Layer.Window v = spec.vertical();
        Layer.Window h = spec.horizontal();
        long[] kernel = {v.kernel(), h.kernel()};
        long[] stride = {v.stride(), h.stride()};
        long[] pad = {v.pad(), h.pad()};
        Shape shape = spec.output(scope.path(), x);
        memory.desc any = Dnnl.any(shape, in.get_data_type());
        boolean training = scope.training();
        int pass = Dnnl.forward(training);
        var pd = new pooling_forward.primitive_desc(
                dnnl.engine, pass, kind, in, any, stride, kernel, DILATION, pad, pad, Dnnl.attributes(), false);
        output(shape, pd.dst_desc());
        Call forward = call(pd).with(DNNL_ARG_SRC, value(x)).with(DNNL_ARG_DST, value(output()));
        // The place of each maximum.
        Arg winners = null;
        if (max && training) {
            memory.desc d = pd.workspace_desc();
            winners = arg(d, scope.kept(d.get_size()));
            forward.with(DNNL_ARG_WORKSPACE, winners);
        }
        forward(forward);
        if (!training || x.grad() == null) return;
        memory.desc out = pd.dst_desc();
        Call backward = call(new pooling_backward.primitive_desc(
                        dnnl.engine, kind, in, out, stride, kernel, DILATION, pad, pad, pd, Dnnl.attributes(), false))
                .with(DNNL_ARG_DIFF_DST, grad(output()))
                .with(DNNL_ARG_DIFF_SRC, grad(x));
        if (winners != null) backward.with(DNNL_ARG_WORKSPACE, winners);
        backward(backward);
    }
}
