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
    private final Layer.Pool spec;
    private final Tensor x;
    private final int kind;
    private final memory.desc in;
    private final long[] kernel;
    private final long[] stride;
    private final long[] pad;
    private final long[] dilation = {0, 0};

    CpuPool(Dnnl dnnl, PlanContext scope, Layer.Pool spec, Tensor x) {
        super(dnnl, scope);
        this.spec = spec;
        this.x = x;
        kind = max() ? algorithm.pooling_max.value : algorithm.pooling_avg_exclude_padding.value;
        in = CpuLayout.of(x.layout());
        kernel = new long[] {spec.kernel(), spec.kernel()};
        stride = new long[] {spec.stride(), spec.stride()};
        pad = new long[] {spec.pad(), spec.pad()};
        plan();
    }

    private boolean max() {
        return spec.kind() == Layer.PoolKind.MAX;
    }

    private void plan() {
        Shape shape = spec.output(scope.path(), x);
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
        if (max() && scope.training()) {
            memory.desc d = pd.workspace_desc();
            winners = arg(d, scope.kept(d.get_size()));
            call.with(DNNL_ARG_WORKSPACE, winners);
        }
        forward(call);
        if (scope.training() && x.grad() != null) planBackward(pd, winners);
    }

    /** @param winners where each maximum lay; null for averages */
    private void planBackward(pooling_forward.primitive_desc hint, Arg winners) {
        pooling_backward.primitive_desc pd = new pooling_backward.primitive_desc(
                dnnl.engine,
                kind,
                in,
                hint.dst_desc(),
                stride,
                kernel,
                dilation,
                pad,
                pad,
                hint,
                Dnnl.attributes(),
                false);
        Call call = call(new pooling_backward(pd), pd)
                .with(DNNL_ARG_DIFF_DST, grad(output()))
                .with(DNNL_ARG_DIFF_SRC, grad(x));
        if (winners != null) call.with(DNNL_ARG_WORKSPACE, winners);
        backward(call);
    }
}
