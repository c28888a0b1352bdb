package io.basin.device;

import java.nio.ByteBuffer;

/**
 * Softmax and cross-entropy by their definitions.
 *
 * <pre>
 *   p = exp(x) / sum exp(x)      q_k = (1 - s) [k = y] + s / K      loss = - sum_k q_k log p_k
 *   dx = (p - q) / N, zero for ignored rows
 *   of mixed rows q = m q(y) + (1 - m) q(y')
 * </pre>
 */
final class ReferenceLoss extends ReferenceOp {
    private final Loss.CrossEntropy spec;
    private final Tensor x;
    private final Slot labels;
    private final RunState control;
    private final int rows;
    private final int classes;

    ReferenceLoss(PlanContext scope, Loss.CrossEntropy spec, Tensor x, Slot labels, RunState control) {
        super(scope);
        this.spec = spec;
        this.x = x;
        this.labels = labels;
        this.control = control;
        rows = x.shape().dim(0);
        classes = x.shape().dim(1);
        output(x.shape());
        forward(this::compute);
        backward(this::gradient);
    }

    private boolean mixed() {
        return labels.bytes() > 4L * rows;
    }

    private double share(int n) {
        return mixed() ? view(labels).get(2 * rows + n) : 1;
    }

    private int other(int n) {
        return (int) view(labels).get(mixed() ? rows + n : n);
    }

    private double target(int n, int k) {
        return share(n) * oneLabel(k, (int) view(labels).get(n)) + (1 - share(n)) * oneLabel(k, other(n));
    }

    private double oneLabel(int k, int label) {
        return (k == label ? 1 - spec.smoothing() : 0) + spec.smoothing() / classes;
    }

    private void compute() {
        double loss = 0;
        int hits = 0;
        int seen = 0;
        for (int n = 0; n < rows; n++) {
            int label = (int) view(labels).get(n);
            int best = softmax(n);
            if (label < 0) continue;
            for (int k = 0; k < classes; k++) {
                double q = target(n, k);
                if (q > 0) loss -= q * logProbability(n, k);
            }
            hits += best == (share(n) >= 0.5 ? label : other(n)) ? 1 : 0;
            seen++;
        }
        add(control, loss, hits, seen);
    }

    static void add(RunState control, double loss, int hits, int seen) {
        ByteBuffer c = ((ReferenceMemory) control.memory()).raw();
        c.putDouble(RunState.LOSS, c.getDouble(RunState.LOSS) + loss);
        c.putLong(RunState.HITS, c.getLong(RunState.HITS) + hits);
        c.putLong(RunState.SEEN, c.getLong(RunState.SEEN) + seen);
        if (!Double.isFinite(loss) && c.getLong(RunState.BROKEN) == 0) {
            c.putLong(RunState.BROKEN, c.getLong(RunState.STEP) + 1);
        }
    }

    private double logProbability(int n, int k) {
        double max = Double.NEGATIVE_INFINITY;
        for (int j = 0; j < classes; j++) max = Math.max(max, value(x).get(n * classes + j));
        double sum = 0;
        for (int j = 0; j < classes; j++) sum += Math.exp(value(x).get(n * classes + j) - max);
        return value(x).get(n * classes + k) - max - Math.log(sum);
    }

    private int softmax(int n) {
        int best = 0;
        for (int k = 0; k < classes; k++) {
            value(output()).set(n * classes + k, Math.exp(logProbability(n, k)));
            if (value(x).get(n * classes + k) > value(x).get(n * classes + best)) best = k;
        }
        return best;
    }

    private void gradient() {
        for (int n = 0; n < rows; n++) {
            int label = (int) view(labels).get(n);
            for (int k = 0; k < classes; k++) {
                double p = value(output()).get(n * classes + k);
                grad(x).set(n * classes + k, label < 0 ? 0 : (p - target(n, k)) / rows);
            }
        }
    }
}
