package io.basin.cuda;

import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;

/** Group normalisation, see {@code kernels/group.cu}. */
final class CudaGroupNorm extends CudaOp {
    private static final String FILE = "group.cu";
    private static final int LANES = 32;
    private static final int STRIPES = 8;
    /** Two float32. */
    private static final long PAIR = 8;

    private final CudaLayout layout;
    private final int groups;

    CudaGroupNorm(CudaDevice device, PlanContext scope, Layer.GroupNorm spec, Tensor x) {
        super(device, scope, x);
        groups = spec.groups();
        layout = CudaLayout.of(x.layout());
        Shape sample = x.shape().sample();
        CudaLayout vector = CudaLayout.of(Shape.of(layout.channels()));
        Parameter scale = scope.parameter(spec.scale(sample), vector);
        Parameter shift = scope.parameter(spec.shift(sample), vector);
        Tensor y = output(x.shape());
        KernelArg moments = place(scope.kept(PAIR * layout.outer() * groups));
        forward(sized(perGroup("groupNorm")
                .args(value(y), value(x), moments, weight(scale), weight(shift), (float) spec.eps())));
        if (!scope.training()) return;
        KernelArg sums = place(scope.inBackward(PAIR * layout.outer() * layout.channels()));
        Launch perChannel = launch(FILE, typed("groupSums"))
                .shape(layout.outer(), (layout.channels() + LANES - 1) / LANES, LANES, STRIPES);
        backward(sized(perChannel.args(value(x), grad(y), moments, sums)));
        backward(kernel(FILE, "groupParameters", layout.channels())
                .args(sums, weightGrad(scale), weightGrad(shift), layout.outer(), layout.channels()));
        if (x.grad() == null) return;
        backward(sized(perGroup("groupGradient").args(grad(x), value(x), grad(y), moments, sums, weight(scale))));
    }

    private Launch perGroup(String kernel) {
        int lanes = 1;
        while (lanes < layout.channels() / groups && lanes < LANES) lanes *= 2;
        return launch(FILE, typed(kernel)).shape(layout.outer() * groups, 1, lanes, LANES * STRIPES / lanes);
    }

    private Launch sized(Launch launch) {
        return launch.args(layout.channels(), groups, layout.inner());
    }
}
