package io.basin.cpu;

import static org.bytedeco.dnnl.global.dnnl.*;

import io.basin.Nullable;
import io.basin.device.Activation;
import io.basin.device.Elementwise;
import io.basin.device.Layer;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import io.basin.random.Philox;
import io.basin.random.Streams;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Objects;
import org.bytedeco.dnnl.binary;
import org.bytedeco.dnnl.eltwise_backward;
import org.bytedeco.dnnl.eltwise_forward;
import org.bytedeco.dnnl.memory;

/** ReLU, sums and their gradients, which follow their input's layout, and what is plain Java. */
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
                .with(DNNL_ARG_DST, op.value(y), DNNL_ARG_DIFF_DST, op.grad(y), DNNL_ARG_DIFF_SRC, dx));
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
                .with(DNNL_ARG_SRC_0, a, DNNL_ARG_SRC_1, b, DNNL_ARG_DST, out);
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

    /** Channels last, so that each input is a part of every row. */
    static CpuOp concat(Dnnl dnnl, PlanContext scope, List<Tensor> inputs) {
        CpuOp op = new CpuOp(dnnl, scope);
        Shape shape = new Layer.Concat().output(scope.path(), inputs.toArray(Tensor[]::new));
        memory.data_type type = CpuLayout.of(inputs.get(0).layout()).get_data_type();
        memory.desc whole = shape.rank() == 4
                ? new memory.desc(shape.toLongs(), type, memory.format_tag.acdb)
                : Dnnl.plain(shape, type);
        Tensor y = op.output(shape, whole);
        long[] from = new long[shape.rank()];
        for (Tensor x : inputs) {
            memory.desc part = whole.submemory_desc(x.shape().toLongs(), from);
            op.forward(op.reorder(op.value(x), op.arg(part, y.value())));
            if (scope.training() && x.grad() != null) {
                op.backward(op.reorder(op.arg(part, Objects.requireNonNull(y.grad())), op.grad(x)));
            }
            from[1] += x.shape().dim(1);
        }
        return op;
    }

    /**
     * Plain Java, element by element in logical order: a user's own functions, and dropout, whose masks must
     * not depend on the layout. Both work in float32.
     */
    @SuppressWarnings("NullAway.Init") // Binding sets the addresses.
    private static final class Plain extends CpuOp {
        FloatBuffer x;
        FloatBuffer y;
        FloatBuffer dx;
        FloatBuffer dy;
        final Arg source;
        final @Nullable Arg gradient;

        Plain(Dnnl dnnl, PlanContext scope, Tensor in) {
            super(dnnl, scope);
            memory.desc plain = Dnnl.plain(in.shape(), Dnnl.F32);
            source = input(in, plain);
            output(in.shape(), plain);
            gradient = scope.training() && in.grad() != null ? inputGrad(in, plain) : null;
            onBind(binding -> {
                x = CpuMemory.floats(binding, source.slot());
                y = CpuMemory.floats(binding, output().value());
                if (gradient == null) return;
                dx = CpuMemory.floats(binding, gradient.slot());
                dy = CpuMemory.floats(binding, Objects.requireNonNull(output().grad()));
            });
        }
    }

    /** In its input's layout and type. */
    private static CpuOp activation(Dnnl dnnl, PlanContext scope, Activation function, Tensor x) {
        boolean gelu = function instanceof Activation.Gelu;
        int kind = (gelu ? algorithm.eltwise_gelu_erf : algorithm.eltwise_swish).value;
        CpuOp op = new CpuOp(dnnl, scope);
        memory.desc d = CpuLayout.of(x.layout());
        op.output(x.shape(), d);
        var pd = new eltwise_forward.primitive_desc(
                dnnl.engine, Dnnl.FORWARD_TRAINING, kind, d, d, 1, Dnnl.attributes(), false);
        op.forward(op.call(pd).with(DNNL_ARG_SRC, op.value(x)).with(DNNL_ARG_DST, op.value(op.output())));
        if (!scope.training() || x.grad() == null) return op;
        op.backward(op.call(new eltwise_backward.primitive_desc(
                        dnnl.engine, kind, d, d, d, 1, pd, Dnnl.attributes(), false))
                .with(
                        DNNL_ARG_SRC,
                        op.value(x),
                        DNNL_ARG_DIFF_DST,
                        op.grad(op.output()),
                        DNNL_ARG_DIFF_SRC,
                        op.grad(x)));
        return op;
    }

    static CpuOp map(Dnnl dnnl, PlanContext scope, Elementwise function, Tensor in) {
        if (function instanceof Activation known) return activation(dnnl, scope, known, in);
        Plain op = new Plain(dnnl, scope, in);
        op.forward(() -> {
            for (int i = 0; i < op.x.capacity(); i++) op.y.put(i, function.value(op.x.get(i)));
        });
        if (op.gradient == null) return op;
        op.backward(() -> {
            for (int i = 0; i < op.x.capacity(); i++) op.dx.put(i, op.dy.get(i) * function.slope(op.x.get(i)));
        });
        op.deliver(in, op.gradient);
        return op;
    }

    /** Masks are drawn anew in backward: cheaper than keeping them, and the same by construction. */
    static CpuOp dropout(Dnnl dnnl, PlanContext scope, Layer.Dropout spec, Tensor in, long seed, RunState control) {
        Plain op = new Plain(dnnl, scope, in);
        ByteBuffer counters = CpuMemory.counters(control);
        op.reach.add("the control block", control.memory());
        Mask mask = new Mask(spec.p(), seed, counters);
        if (!scope.training()) {
            op.forward(() -> op.y.put(0, op.x, 0, op.x.capacity()));
            return op;
        }
        op.forward(() -> mask.apply(op.x, op.y));
        if (op.gradient == null) return op;
        op.backward(() -> mask.apply(op.dy, op.dx));
        op.deliver(in, op.gradient);
        return op;
    }

    /** Element i is kept where word i mod 4 of Philox block i / 4 of this step, scaled to [0, 1), is at least p. */
    private record Mask(double p, long seed, ByteBuffer counters, int[] words) {
        Mask(double p, long seed, ByteBuffer counters) {
            this(p, seed, counters, new int[4]);
        }

        void apply(FloatBuffer from, FloatBuffer to) {
            long step = counters.getLong(RunState.STEP);
            float scale = (float) (1 / (1 - p));
            for (int i = 0; i < from.capacity(); i++) {
                if (i % 4 == 0) block(i / 4, step);
                to.put(i, Philox.unit(words[i % 4]) >= p ? from.get(i) * scale : 0);
            }
        }

        private void block(int index, long step) {
            Philox.block(
                    index, (int) step, (int) (step >>> 32), Streams.DROPOUT, (int) seed, (int) (seed >>> 32), words);
        }
    }
}
