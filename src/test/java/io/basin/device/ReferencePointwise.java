package io.basin.device;

import io.basin.random.Philox;
import io.basin.random.Streams;
import java.nio.ByteBuffer;
import java.util.List;

/** Elementwise operations by their definitions. */
final class ReferencePointwise {
    private ReferencePointwise() {}

    static void put(double[] from, ReferenceOp.View to) {
        System.arraycopy(from, 0, to.cells(), to.at(), from.length);
    }

    static Op relu(PlanContext scope, Tensor x) {
        ReferenceOp op = new ReferenceOp(scope);
        op.output(x.shape());
        int n = ReferenceOp.size(x);
        op.forward(() -> {
            for (int i = 0; i < n; i++)
                op.value(op.output()).set(i, Math.max(0, op.value(x).get(i)));
        });
        op.backward(() -> {
            for (int i = 0; i < n; i++) {
                double dy = op.grad(op.output()).get(i);
                op.grad(x).set(i, op.value(x).get(i) > 0 ? dy : 0);
            }
        });
        return op;
    }

    static Op add(PlanContext scope, Tensor a, Tensor b) {
        ReferenceOp op = new ReferenceOp(scope);
        op.output(a.shape());
        int n = ReferenceOp.size(a);
        op.forward(() -> {
            for (int i = 0; i < n; i++)
                op.value(op.output()).set(i, op.value(a).get(i) + op.value(b).get(i));
        });
        op.backward(() -> {
            for (int i = 0; i < n; i++) {
                double dy = op.grad(op.output()).get(i);
                op.grad(a).set(i, dy);
                op.grad(b).set(i, dy);
            }
        });
        return op;
    }

    /** A row's elements of all inputs, one input after another. */
    static Op concat(PlanContext scope, List<Tensor> inputs) {
        ReferenceOp op = new ReferenceOp(scope);
        Shape shape = new Layer.Concat().output(scope.path(), inputs.toArray(Tensor[]::new));
        op.output(shape);
        int rows = shape.dim(0);
        int all = (int) shape.elements() / rows;
        op.forward(() -> {
            int from = 0;
            for (Tensor x : inputs) {
                int own = ReferenceOp.size(x) / rows;
                for (int i = 0; i < own * rows; i++)
                    op.value(op.output())
                            .set(i / own * all + from + i % own, op.value(x).get(i));
                from += own;
            }
        });
        op.backward(() -> {
            int from = 0;
            for (Tensor x : inputs) {
                int own = ReferenceOp.size(x) / rows;
                for (int i = 0; i < own * rows; i++)
                    op.grad(x).set(i, op.grad(op.output()).get(i / own * all + from + i % own));
                from += own;
            }
        });
        return op;
    }

    static Op fork(PlanContext scope, Tensor x, List<Tensor> branches) {
        ReferenceOp op = new ReferenceOp(scope);
        op.output(x);
        op.backward(() -> {
            for (int i = 0; i < ReferenceOp.size(x); i++) {
                double sum = 0;
                for (Tensor branch : branches) sum += op.grad(branch).get(i);
                op.grad(x).set(i, sum);
            }
        });
        return op;
    }

    static Op map(PlanContext scope, Elementwise f, Tensor x) {
        ReferenceOp op = new ReferenceOp(scope);
        op.output(x.shape());
        op.forward(() -> {
            for (int i = 0; i < ReferenceOp.size(x); i++)
                op.value(op.output()).set(i, f.value((float) op.value(x).get(i)));
        });
        op.backward(() -> {
            for (int i = 0; i < ReferenceOp.size(x); i++) {
                double dy = op.grad(op.output()).get(i);
                op.grad(x).set(i, dy * f.slope((float) op.value(x).get(i)));
            }
        });
        return op;
    }

    /** Element i of step t lives where word i mod 4 of Philox block (i / 4, t low, t high, DROPOUT) is at least p. */
    static Op dropout(PlanContext scope, Layer.Dropout spec, Tensor x, long seed, RunState control) {
        ReferenceOp op = new ReferenceOp(scope);
        op.output(x.shape());
        ByteBuffer counters = ((ReferenceMemory) control.memory()).raw();
        boolean training = scope.training();
        op.forward(() -> {
            for (int i = 0; i < ReferenceOp.size(x); i++) {
                double factor = training ? factor(spec.p(), seed, counters.getLong(RunState.STEP), i) : 1;
                op.value(op.output()).set(i, factor * op.value(x).get(i));
            }
        });
        op.backward(() -> {
            for (int i = 0; i < ReferenceOp.size(x); i++) {
                double factor = factor(spec.p(), seed, counters.getLong(RunState.STEP), i);
                op.grad(x).set(i, factor * op.grad(op.output()).get(i));
            }
        });
        return op;
    }

    private static double factor(double p, long seed, long step, int i) {
        int[] words = new int[4];
        Philox.block(i / 4, (int) step, (int) (step >>> 32), Streams.DROPOUT, (int) seed, (int) (seed >>> 32), words);
        return Philox.unit(words[i % 4]) >= p ? 1 / (1 - p) : 0;
    }
}
