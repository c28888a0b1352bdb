package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.device.PlanContext;
import io.basin.device.Tensor;
import java.util.List;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.memory;

/** ReLU, sums and their gradients: work that follows its input's layout. */
final class CpuPointwise {
    private static final int RELU = algorithm.eltwise_relu_use_dst_for_bwd.value;
    private static final int ADD = algorithm.binary_add.value;

    private CpuPointwise() {}

    static CpuOp relu(Dnnl dnnl, PlanContext scope, Tensor x) {
        CpuOp op = new CpuOp(dnnl, scope);
        memory.desc desc = CpuLayout.of(x.layout());
        op.output(x.shape(), desc);
        op.forward(
                op.call(reluDesc(op, desc)).with(DNNL_ARG_SRC, op.value(x)).with(DNNL_ARG_DST, op.value(op.output())));
        if (scope.training() && x.grad() != null) reluBackward(op, op.output(), op.grad(x));
        return op;
    }

    private static eltwise_forward.primitive_desc reluDesc(CpuOp op, memory.desc desc) {
        return new eltwise_forward.primitive_desc(
                op.dnnl.engine, Dnnl.FORWARD_TRAINING, RELU, desc, desc, 0, Dnnl.attributes(), false);
    }

    /** The gradient before a fused ReLU, in a place of its own: the output's gradient may serve others too. */
    static CpuOp.Arg throughRelu(CpuOp op, Tensor y) {
        memory.desc desc = CpuLayout.of(y.layout());
        CpuOp.Arg before = op.arg(desc, op.scope.inBackward(desc.get_size()));
        reluBackward(op, y, before);
        return before;
    }

    private static void reluBackward(CpuOp op, Tensor y, CpuOp.Arg dx) {
        memory.desc desc = CpuLayout.of(y.layout());
        op.backward(op.call(new eltwise_backward.primitive_desc(
                        op.dnnl.engine, RELU, desc, desc, desc, 0, reluDesc(op, desc), Dnnl.attributes(), false))
                .with(DNNL_ARG_DST, op.value(y))
                .with(DNNL_ARG_DIFF_DST, op.grad(y))
                .with(DNNL_ARG_DIFF_SRC, dx));
    }

    /** Adds to the operation's output where it lies, then ReLU if asked. */
    static CpuOp.Call addInPlace(CpuOp op, Tensor residual, boolean relu) {
        memory.desc desc = CpuLayout.of(op.output().layout());
        CpuOp.Arg y = op.value(op.output());
        return sum(op, desc, y, op.input(residual, desc), y, relu);
    }

    static CpuOp add(Dnnl dnnl, PlanContext scope, Tensor a, Tensor b) {
        CpuOp op = new CpuOp(dnnl, scope);
        memory.desc desc = CpuLayout.of(a.layout());
        op.output(a.shape(), desc);
        op.forward(sum(op, desc, op.value(a), op.input(b, desc), op.value(op.output()), false));
        if (!scope.training()) return op;
        CpuOp.Arg dy = op.grad(op.output());
        if (a.grad() != null) op.passOn(a, dy);
        if (b.grad() != null) op.passOn(b, dy);
        return op;
    }

    private static CpuOp.Call sum(CpuOp op, memory.desc desc, CpuOp.Arg a, CpuOp.Arg b, CpuOp.Arg out, boolean relu) {
        return op.call(new binary.primitive_desc(
                        op.dnnl.engine, ADD, desc, desc, desc, Dnnl.attributes(null, relu), false))
                .with(DNNL_ARG_SRC_0, a)
                .with(DNNL_ARG_SRC_1, b)
                .with(DNNL_ARG_DST, out);
    }

    static CpuOp fork(Dnnl dnnl, PlanContext scope, Tensor x, List<Tensor> branches) {
        CpuOp op = new CpuOp(dnnl, scope);
        op.output(x);
        if (!scope.training() || x.grad() == null) return op;
        memory.desc desc = CpuLayout.of(x.layout());
        CpuOp.Arg dx = op.grad(x);
        CpuOp.Arg total = op.grad(branches.get(0));
        for (Tensor branch : branches.subList(1, branches.size())) {
            op.backward(sum(op, desc, total, op.grad(branch), dx, false));
            total = dx;
        }
        return op;
    }
}
