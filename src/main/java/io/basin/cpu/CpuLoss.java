package io.basin.cpu;

import io.basin.device.Loss;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import org.bytedeco.dnnl.memory;

/** Loss, predictions, hits and the logits' gradient, in one pass over (N, K). */
@SuppressWarnings("NullAway.Init") // Binding sets the addresses.
abstract class CpuLoss extends CpuOp {
    final int rows;
    final int outputs;
    /** The row in hand: logits, then predictions, then their gradient. */
    final float[] row;

    private final RunState control;
    private FloatBuffer logits;
    private FloatBuffer predictions;
    private FloatBuffer gradient;
    private ByteBuffer counters;
    private double loss;
    private int hits;
    private int seen;

    private CpuLoss(Dnnl dnnl, PlanContext scope, Tensor x, Slot targets, RunState control) {
        super(dnnl, scope);
        this.control = control;
        rows = x.shape().dim(0);
        outputs = x.shape().dim(1);
        row = new float[outputs];
        memory.desc plain = Dnnl.plain(x.shape(), Dnnl.F32);
        Arg source = input(x, plain);
        result(x.shape(), new CpuLayout(plain));
        reach.add("the control block", control.memory());
        forward(this::compute);
        if (scope.training()) {
            Arg dx = inputGrad(x, plain);
            backward(this::differentiate);
            deliver(x, dx);
            onBind(binding -> gradient = CpuMemory.floats(binding, dx.slot()));
        }
        onBind(binding -> {
            logits = CpuMemory.floats(binding, source.slot());
            predictions = CpuMemory.floats(binding, output().value());
            counters = CpuMemory.counters(this.control);
            locate(CpuMemory.bytes(binding, targets));
        });
    }

    static CpuLoss of(Dnnl dnnl, PlanContext scope, Loss spec, Tensor x, Slot targets, RunState control) {
        return spec instanceof Loss.CrossEntropy s
                ? new CrossEntropy(dnnl, scope, s.smoothing(), x, targets, control)
                : new Targets(dnnl, scope, spec instanceof Loss.BinaryCrossEntropy, x, targets, control);
    }

    /** Learns where the targets lie. */
    abstract void locate(ByteBuffer targets);

    /** Turns the row of sample {@code i} from logits into predictions; counts it unless it lies past the end of the set. */
    abstract void predict(int i);

    /** Turns the row of sample {@code i} from predictions into the logits' gradient. */
    abstract void differentiate(int i);

    final void count(double value, boolean hit) {
        loss += value;
        if (hit) hits++;
        seen++;
    }

    private void compute() {
        loss = 0;
        hits = 0;
        seen = 0;
        for (int i = 0; i < rows; i++) {
            logits.get(i * outputs, row, 0, outputs);
            predict(i);
            predictions.put(i * outputs, row, 0, outputs);
        }
        counters.putDouble(RunState.LOSS, counters.getDouble(RunState.LOSS) + loss);
        counters.putLong(RunState.HITS, counters.getLong(RunState.HITS) + hits);
        counters.putLong(RunState.SEEN, counters.getLong(RunState.SEEN) + seen);
        // The first step whose loss is not finite is remembered.
        if (!Double.isFinite(loss) && counters.getLong(RunState.BROKEN) == 0) {
            counters.putLong(RunState.BROKEN, counters.getLong(RunState.STEP) + 1);
        }
    }

    private void differentiate() {
        for (int i = 0; i < rows; i++) {
            predictions.get(i * outputs, row, 0, outputs);
            differentiate(i);
            gradient.put(i * outputs, row, 0, outputs);
        }
    }

    /**
     * Softmax and cross-entropy with label smoothing, over rows of one label or of two, y at the share m and y'.
     *
     * <pre>
     *   q_k  = (1 - s) (m [k = y] + (1 - m) [k = y']) + s / K
     *   loss = - sum_k q_k log p_k          dlogits_k = (p_k - q_k) / N
     * </pre>
     */
    private static final class CrossEntropy extends CpuLoss {
        private final double smoothing;
        private final double[] p;
        private final boolean mixed;
        private IntBuffer labels;

        CrossEntropy(Dnnl dnnl, PlanContext scope, double smoothing, Tensor x, Slot labels, RunState control) {
            super(dnnl, scope, x, labels, control);
            this.smoothing = smoothing;
            p = new double[outputs];
            mixed = labels.bytes() > 4L * rows;
        }

        private float share(int i) {
            return mixed ? Float.intBitsToFloat(labels.get(2 * rows + i)) : 1;
        }

        private int partner(int i) {
            return labels.get(mixed ? rows + i : i);
        }

        @Override
        void locate(ByteBuffer targets) {
            labels = targets.asIntBuffer();
        }

        @Override
        void predict(int i) {
            int label = labels.get(i);
            int best = softmax();
            if (label >= 0) count(crossEntropy(i, label), best == (share(i) < 0.5 ? partner(i) : label));
        }

        /** Turns the row from logits into probabilities, leaves the logarithms in p; returns the likeliest class. */
        private int softmax() {
            int best = 0;
            for (int k = 1; k < outputs; k++) if (row[k] > row[best]) best = k;
            double max = row[best];
            double sum = 0;
            for (int k = 0; k < outputs; k++) sum += Math.exp(row[k] - max);
            double logSum = Math.log(sum);
            for (int k = 0; k < outputs; k++) {
                p[k] = row[k] - max - logSum;
                row[k] = (float) Math.exp(p[k]);
            }
            return best;
        }

        private double crossEntropy(int i, int label) {
            double m = share(i);
            double loss = -(1 - smoothing) * (m == 1 ? p[label] : m * p[label] + (1 - m) * p[partner(i)]);
            if (smoothing > 0) {
                double all = 0;
                for (int k = 0; k < outputs; k++) all += p[k];
                loss -= smoothing / outputs * all;
            }
            return loss;
        }

        @Override
        void differentiate(int i) {
            int label = labels.get(i);
            int partner = partner(i);
            double m = share(i);
            for (int k = 0; k < outputs; k++) {
                double both = (k == label ? m : 0) + (k == partner ? 1 - m : 0);
                double q = smoothing / outputs + (1 - smoothing) * both;
                row[k] = label < 0 ? 0 : (float) ((row[k] - q) / rows);
            }
        }
    }

    /**
     * Losses over float targets y (N, K), means over K; a row whose first target is not a number does not count.
     *
     * <pre>
     *   squared error          (x - y)^2                                    prediction x            dx = 2 (x - y) / (N K)
     *   binary cross-entropy   max(x, 0) - x y + log(1 + exp(-|x|))         p = 1 / (1 + exp(-x))   dx = (p - y) / (N K)
     * </pre>
     */
    private static final class Targets extends CpuLoss {
        private final boolean binary;
        private final float[] y;
        private FloatBuffer targets;

        Targets(Dnnl dnnl, PlanContext scope, boolean binary, Tensor x, Slot targets, RunState control) {
            super(dnnl, scope, x, targets, control);
            this.binary = binary;
            y = new float[outputs];
        }

        @Override
        void locate(ByteBuffer bytes) {
            targets = bytes.asFloatBuffer();
        }

        @Override
        void predict(int i) {
            targets.get(i * outputs, y, 0, outputs);
            boolean hit = binary;
            double sum = 0;
            for (int k = 0; k < outputs; k++) {
                double logit = row[k];
                sum += binary ? crossEntropy(logit, y[k]) : (logit - y[k]) * (logit - y[k]);
                hit &= logit > 0 == y[k] > 0.5;
                if (binary) row[k] = (float) (1 / (1 + Math.exp(-logit)));
            }
            if (!Float.isNaN(y[0])) count(sum / outputs, hit);
        }

        private static double crossEntropy(double logit, double target) {
            return Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit)));
        }

        @Override
        void differentiate(int i) {
            double scale = (binary ? 1.0 : 2.0) / ((double) rows * outputs);
            targets.get(i * outputs, y, 0, outputs);
            boolean absent = Float.isNaN(y[0]);
            for (int k = 0; k < outputs; k++) row[k] = absent ? 0 : (float) (scale * ((double) row[k] - y[k]));
        }
    }
}
