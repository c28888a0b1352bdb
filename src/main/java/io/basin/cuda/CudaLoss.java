package io.basin.cuda;

import io.basin.device.CrossEntropy;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Slot;
import io.basin.device.Tensor;

/** Softmax, cross-entropy, hits and the logits' gradient in one pass, see {@code kernels/loss.cu}. */
final class CudaLoss extends CudaOp {
    private static final int ROW = 16;

    CudaLoss(CudaDevice device, PlanContext scope, CrossEntropy spec, Tensor x, Slot labels, RunState control) {
        super(device, scope, x);
        int rows = x.shape().dim(0);
        int classes = x.shape().dim(1);
        CudaLayout layout = CudaLayout.of(x.shape());
        output(new Tensor(name(), x.shape(), layout, scope.value(layout.bytes()), null));
        KernelArg gradient = null;
        if (scope.training() && x.grad() != null) {
            // Forward writes it already, so it lives from there.
            gradient = place(scope.kept(layout.bytes()));
            passOn(x, gradient);
        }
        KernelArg result = place(scope.inForward((long) ROW * rows));
        forward(kernel("loss.cu", "loss", 32L * rows)
                .arg(value(x))
                .arg(place(labels))
                .arg(value(output()))
                .arg(gradient)
                .arg(result)
                .arg(rows)
                .arg(classes)
                .arg(spec.smoothing()));
        forward(launch("loss.cu", "total")
                .shape(1, 1, 32, 1)
                .arg(result)
                .arg(CudaDevice.place(control))
                .arg(rows));
    }
}
