package io.basin.cpu;

import io.basin.device.Binding;
import io.basin.device.Control;
import io.basin.device.Scope;
import io.basin.device.Shape;
import io.basin.device.Slot;
import io.basin.device.Spec;
import io.basin.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.nio.IntBuffer;
import org.bytedeco.dnnl.memory;

/**
 * Softmax, cross-entropy with label smoothing, hits and the logits' gradient, in one pass over (N, K).
 *
 * <pre>
 *   q_k  = (1 - s) [k = y] + s / K
 *   loss = - sum_k q_k log p_k          dlogits_k = (p_k - q_k) / N
 * </pre>
 */
final class CpuLoss extends CpuOp {
    private final Control control;
    private final Slot labelSlot;
    private final int rows;
    private final int classes;
    private final double smoothing;
    private final Slot gradSlot;
    private final Arg source;
    private FloatBuffer logits;
    private FloatBuffer probabilities;
    private FloatBuffer gradient;
    private IntBuffer labels;
    private ByteBuffer counters;
    private final double[] p;
    private final float[] row;

    CpuLoss(Dnnl dnnl, Scope scope, Spec.Loss spec, Tensor x, Slot labels, Control control) {
        super(dnnl, scope);
        this.control = control;
        labelSlot = labels;
        rows = x.shape().dim(0);
        classes = x.shape().dim(1);
        smoothing = spec.smoothing();
        p = new double[classes];
        row = new float[classes];
        memory.desc plain = Dnnl.plain(x.shape(), Dnnl.F32);
        source = input(x, plain);
        output(new Tensor(name(), Shape.of(rows, classes), new CpuLayout(plain), scope.value(plain.get_size()), null));
        reach.add("the control block", control.memory());
        forward(this::compute);
        if (scope.training()) {
            Arg dx = inputGrad(x, plain);
            gradSlot = dx.slot();
            backward(this::gradient);
            deliver(x, dx);
        } else {
            gradSlot = null;
        }
        onBind(this::locate);
    }

    private void locate(Binding binding) {
        logits = floats(binding, source.slot());
        probabilities = floats(binding, output().value());
        if (gradSlot != null) gradient = floats(binding, gradSlot);
        labels = ((CpuMemory) binding.memory(labelSlot.arena()))
                .bytes(labelSlot.offset(), labelSlot.bytes())
                .asIntBuffer();
        counters = ((CpuMemory) control.memory()).bytes(0, Control.TABLES).order(ByteOrder.nativeOrder());
    }

    private void compute() {
        double loss = 0;
        int hits = 0;
        int seen = 0;
        for (int i = 0; i < rows; i++) {
            int label = labels.get(i);
            logits.get(i * classes, row, 0, classes);
            int best = softmax();
            probabilities.put(i * classes, row, 0, classes);
            if (label < 0) continue;
            loss += crossEntropy(label);
            if (best == label) hits++;
            seen++;
        }
        add(loss, hits, seen);
    }

    /** Turns {@code row} from logits into probabilities, leaves the logarithms in p; returns the likeliest class. */
    private int softmax() {
        int best = 0;
        for (int k = 1; k < classes; k++) if (row[k] > row[best]) best = k;
        double max = row[best];
        double sum = 0;
        for (int k = 0; k < classes; k++) sum += Math.exp(row[k] - max);
        double logSum = Math.log(sum);
        for (int k = 0; k < classes; k++) {
            p[k] = row[k] - max - logSum;
            row[k] = (float) Math.exp(p[k]);
        }
        return best;
    }

    private double crossEntropy(int label) {
        double loss = -(1 - smoothing) * p[label];
        if (smoothing > 0) {
            double all = 0;
            for (int k = 0; k < classes; k++) all += p[k];
            loss -= smoothing / classes * all;
        }
        return loss;
    }

    private void add(double loss, int hits, int seen) {
        counters.putDouble(Control.LOSS, counters.getDouble(Control.LOSS) + loss);
        counters.putLong(Control.HITS, counters.getLong(Control.HITS) + hits);
        counters.putLong(Control.SEEN, counters.getLong(Control.SEEN) + seen);
        if (!Double.isFinite(loss) && counters.getLong(Control.BROKEN) == 0) {
            counters.putLong(Control.BROKEN, counters.getLong(Control.STEP) + 1);
        }
    }

    private void gradient() {
        for (int i = 0; i < rows; i++) {
            int label = labels.get(i);
            probabilities.get(i * classes, row, 0, classes);
            for (int k = 0; k < classes; k++) {
                double q = smoothing / classes + (k == label ? 1 - smoothing : 0);
                row[k] = label < 0 ? 0 : (float) ((row[k] - q) / rows);
            }
            gradient.put(i * classes, row, 0, classes);
        }
    }
}
