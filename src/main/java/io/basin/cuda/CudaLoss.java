package io.basin.cuda;

import io.basin.device.Loss;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Slot;
import io.basin.device.Tensor;

/** Loss, predictions, hits and the logits' gradient in one pass, see {@code kernels/loss.cu}. */
final class CudaLoss extends CudaOp {
    private static final int ROW = 16;

    CudaLoss(CudaDevice device, PlanContext scope, Loss spec, Tensor x, Slot labels, RunState control) {
        super(device, scope, x);
        int rows = x.shape().dim(0);
        int classes = x.shape().dim(1);
        Tensor y = result(x.shape(), CudaLayout.of(x.shape()));
        KernelArg gradient = null;
        if (scope.training() && x.grad() != null) {
            // Forward writes it already, so it lives from there.
            gradient = place(scope.kept(x.layout().bytes()));
            passOn(x, gradient);
        }
        KernelArg each = place(scope.inForward((long) ROW * rows));
        Launch launch = kernel("loss.cu", typed(kernelOf(spec)), 32L * rows)
                .args(value(x), place(labels), value(y), gradient, each, rows, classes);
        forward(spec instanceof Loss.CrossEntropy s ? launch.args(s.smoothing(), labels.bytes() > 4L * rows) : launch);
        forward(launch("loss.cu", "total").shape(1, 1, 32, 1).args(each, control.memory(), rows));
    }

    private static String kernelOf(Loss spec) {
        if (spec instanceof Loss.BinaryCrossEntropy) return "binaryCrossEntropy";
        return spec instanceof Loss.SquaredError ? "squaredError" : "loss";
    }
}
