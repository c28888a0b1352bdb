package io.basin.cpu;

import io.basin.device.Binding;
import io.basin.device.Loss;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Slot;
import io.basin.device.Tensor;
import java.nio.ByteBuffer;
import java.nio.FloatBuffer;
import org.bytedeco.dnnl.memory;

/**
 * Losses over float targets y (N, K), means over K; a row whose first target is not a number does not count.
 *
 * <pre>
 *   squared error          (x - y)^2                                    prediction x            dx = 2 (x - y) / (N K)
 *   binary cross-entropy   max(x, 0) - x y + log(1 + exp(-|x|))         p = 1 / (1 + exp(-x))   dx = (p - y) / (N K)
 * </pre>
 */
final class CpuTargetLoss extends CpuOp {
    private final RunState control;
    private final Slot targetSlot;
    private final Slot gradSlot;
    private final Arg source;
    private final int rows;
    private final int outputs;
    private final boolean binary;
    private final float[] x;
    private final float[] y;
    private FloatBuffer logits;
    private FloatBuffer targets;
    private FloatBuffer predictions;
    private FloatBuffer gradient;
    private ByteBuffer counters;

    CpuTargetLoss(Dnnl dnnl, PlanContext scope, Loss spec, Tensor logits, Slot targets, RunState control) {
        super(dnnl, scope);
        this.control = control;
        targetSlot = targets;
        rows = logits.shape().dim(0);
        outputs = logits.shape().dim(1);
        binary = spec instanceof Loss.BinaryCrossEntropy;
        x = new float[outputs];
        y = new float[outputs];
        memory.desc plain = Dnnl.plain(logits.shape(), Dnnl.F32);
        source = input(logits, plain);
        output(new Tensor(name(), logits.shape(), new CpuLayout(plain), scope.value(plain.get_size()), null));
        forward(this::compute);
        if (scope.training()) {
            Arg dx = inputGrad(logits, plain);
            gradSlot = dx.slot();
            backward(this::gradient);
            deliver(logits, dx);
        } else {
            gradSlot = null;
        }
        onBind(this::locate);
    }

    private void locate(Binding binding) {
        logits = floats(binding, source.slot());
        targets = floats(binding, targetSlot);
        predictions = floats(binding, output().value());
        if (gradSlot != null) gradient = floats(binding, gradSlot);
        counters = ((CpuMemory) control.memory()).bytes(0, RunState.TABLES);
    }

    private void compute() {
        double loss = 0;
        int hits = 0;
        int seen = 0;
        for (int i = 0; i < rows; i++) {
            logits.get(i * outputs, x, 0, outputs);
            targets.get(i * outputs, y, 0, outputs);
            boolean hit = binary;
            double sum = 0;
            for (int k = 0; k < outputs; k++) {
                double logit = x[k];
                sum += binary ? crossEntropy(logit, y[k]) : (logit - y[k]) * (logit - y[k]);
                hit &= logit > 0 == y[k] > 0.5;
                if (binary) x[k] = (float) (1 / (1 + Math.exp(-logit)));
            }
            predictions.put(i * outputs, x, 0, outputs);
            if (Float.isNaN(y[0])) continue;
            loss += sum / outputs;
            if (hit) hits++;
            seen++;
        }
        CpuLoss.add(counters, loss, hits, seen);
    }

    private static double crossEntropy(double logit, double target) {
        return Math.max(logit, 0) - logit * target + Math.log1p(Math.exp(-Math.abs(logit)));
    }

    private void gradient() {
        double scale = (binary ? 1.0 : 2.0) / ((double) rows * outputs);
        for (int i = 0; i < rows; i++) {
            predictions.get(i * outputs, x, 0, outputs);
            targets.get(i * outputs, y, 0, outputs);
            boolean absent = Float.isNaN(y[0]);
            for (int k = 0; k < outputs; k++) x[k] = absent ? 0 : (float) (scale * ((double) x[k] - y[k]));
            gradient.put(i * outputs, x, 0, outputs);
        }
    }
}
