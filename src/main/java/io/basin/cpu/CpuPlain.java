package io.basin.cpu;

import io.basin.device.Control;
import io.basin.device.Elementwise;
import io.basin.device.Scope;
import io.basin.device.Spec;
import io.basin.device.Tensor;
import io.basin.random.Philox;
import io.basin.random.Streams;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.dnnl.memory;

/**
 * Operations in plain Java, element by element in logical order: a user's own functions, and dropout, whose masks must
 * not depend on the layout. Both work in float32.
 */
final class CpuPlain extends CpuOp {
    private FloatBuffer x;
    private FloatBuffer y;
    private FloatBuffer dx;
    private FloatBuffer dy;
    private final boolean wantsGradient;
    private final Arg source;
    private final Arg gradient;

    private CpuPlain(Dnnl dnnl, Scope scope, Tensor in) {
        super(dnnl, scope);
        memory.desc plain = Dnnl.plain(in.shape(), Dnnl.F32);
        source = input(in, plain);
        output(in.shape(), plain);
        wantsGradient = scope.training() && in.grad() != null;
        gradient = wantsGradient ? inputGrad(in, plain) : null;
        onBind(binding -> {
            x = floats(binding, source.slot());
            y = floats(binding, output().value());
            if (!wantsGradient) return;
            dx = floats(binding, gradient.slot());
            dy = floats(binding, output().grad());
        });
    }

    static CpuOp map(Dnnl dnnl, Scope scope, Elementwise function, Tensor in) {
        CpuPlain op = new CpuPlain(dnnl, scope, in);
        op.forward(() -> {
            for (int i = 0; i < op.x.capacity(); i++) op.y.put(i, function.value(op.x.get(i)));
        });
        if (!op.wantsGradient) return op;
        op.backward(() -> {
            for (int i = 0; i < op.x.capacity(); i++) op.dx.put(i, op.dy.get(i) * function.slope(op.x.get(i)));
        });
        op.deliver(in, op.gradient);
        return op;
    }

    /** Masks are drawn anew in backward: cheaper than keeping them, and the same by construction. */
    static CpuOp dropout(Dnnl dnnl, Scope scope, Spec.Dropout spec, Tensor in, long seed, Control control) {
        CpuPlain op = new CpuPlain(dnnl, scope, in);
        ByteBuffer counters = ((CpuMemory) control.memory()).bytes(0, Control.TABLES);
        op.reach.add("the control block", control.memory());
        Mask mask = new Mask(spec.p(), seed, counters);
        if (!scope.training()) {
            op.forward(() -> op.y.put(0, op.x, 0, op.x.capacity()));
            return op;
        }
        op.forward(() -> mask.apply(op.x, op.y));
        if (!op.wantsGradient) return op;
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
            long step = counters.getLong(Control.STEP);
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
