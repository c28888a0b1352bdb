package io.basin.cuda;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;

import io.basin.Nullable;
import io.basin.device.Elementwise;
import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.RunState;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import java.util.ArrayList;
import java.util.List;

/** ReLU, sums, dropout, users' functions, biases, and their gradients: see {@code kernels/pointwise.cu}. */
final class CudaPointwise {
    private static final String FILE = "pointwise.cu";
    private static final String COLUMN_SUMS = "columnSums";
    private static final int LANES = 32;
    private static final int STRIPES = 8;

    private CudaPointwise() {}

    private static int elements(Tensor t) {
        return Math.toIntExact(t.shape().elements());
    }

    private static Launch packs(CudaOp op, String kernel, Tensor t) {
        return op.packs(FILE, kernel, t);
    }

    static CudaOp relu(CudaDevice device, PlanContext scope, Tensor x) {
        CudaOp op = new CudaOp(device, scope, x);
        Tensor y = op.output(x.shape());
        op.forward(packs(op, "relu", x).args(op.value(y), op.value(x), elements(x)));
        if (scope.training() && x.grad() != null) op.backward(reluBackward(op, y, op.grad(x)));
        return op;
    }

    /** The gradient before a fused ReLU, in a place of its own: the output's gradient may serve others too. */
    static KernelArg throughRelu(CudaOp op, Tensor y) {
        KernelArg before = op.place(op.scope.inBackward(y.layout().bytes()));
        op.backward(reluBackward(op, y, before));
        return before;
    }

    private static Launch reluBackward(CudaOp op, Tensor y, KernelArg dx) {
        return packs(op, "reluBackward", y).args(dx, op.grad(y), op.value(y), elements(y));
    }

    /** Adds bias and residual to y where it lies, then ReLU. */
    static Launch finish(CudaOp op, Tensor y, @Nullable Parameter bias, @Nullable Tensor residual, boolean relu) {
        return packs(op, "finish", y)
                .args(op.value(y), bias == null ? null : op.weight(bias))
                .args(residual == null ? null : op.value(residual))
                .args(elements(y), y.shape().dim(1), relu);
    }

    /** Backward's sums over the rows of (rows, channels): the gradient of a bias. Returns the planned calls. */
    static List<Launch> columnSums(CudaOp op, KernelArg x, KernelArg sums, int rows, int channels) {
        int slabs = slabs(rows);
        KernelArg first = slabs == 1 ? sums : op.place(op.scope.inBackward(4L * slabs * channels));
        List<Launch> launches = new ArrayList<>();
        launches.add(sumsOf(op, op.typed(COLUMN_SUMS), x, first, rows, channels, slabs));
        if (slabs > 1) launches.add(sumsOf(op, COLUMN_SUMS, first, sums, slabs, channels, 1));
        launches.forEach(op::backward);
        return launches;
    }

    /** How many parts a sum over so many rows is done in. */
    static int slabs(int rows) {
        return Math.max(1, Math.min(128, rows / 256));
    }

    /** A block sums over the rows of 32 channels. */
    private static Launch sumsOf(
            CudaOp op, String kernel, KernelArg x, KernelArg sums, int rows, int channels, int slabs) {
        return op.launch(FILE, kernel)
                .shape((channels + LANES - 1) / LANES, slabs, LANES, STRIPES)
                .args(sums, x, rows, channels);
    }

    static CudaOp add(CudaDevice device, PlanContext scope, Tensor a, Tensor b) {
        CudaOp op = new CudaOp(device, scope, a, b);
        Tensor y = op.output(a.shape());
        op.forward(sum(op, y, op.value(y), op.value(a), op.value(b)));
        if (!scope.training()) return op;
        KernelArg dy = op.grad(y);
        CudaOp.passOn(a, dy);
        CudaOp.passOn(b, dy);
        return op;
    }

    private static Launch sum(CudaOp op, Tensor like, KernelArg out, KernelArg a, KernelArg b) {
        return packs(op, "add", like).args(out, a, b, elements(like), false);
    }

    static CudaOp fork(CudaDevice device, PlanContext scope, Tensor x, List<Tensor> branches) {
        CudaOp op = new CudaOp(device, scope, x);
        device.biases.remove(x.value());
        op.output(x);
        if (!scope.training() || x.grad() == null) return op;
        KernelArg dx = op.grad(x);
        KernelArg total = op.grad(branches.get(0));
        for (Tensor branch : branches.subList(1, branches.size())) {
            op.backward(sum(op, x, dx, total, op.grad(branch)));
            total = dx;
        }
        return op;
    }

    static CudaOp concat(CudaDevice device, PlanContext scope, List<Tensor> inputs) {
        CudaOp op = new CudaOp(device, scope, inputs.toArray(Tensor[]::new));
        Shape shape = new Layer.Concat().output(scope.path(), inputs.toArray(Tensor[]::new));
        Tensor y = op.output(shape);
        int from = 0;
        for (Tensor x : inputs) {
            op.forward(joined(op, "join", op.value(y), op.value(x), x, y, from));
            if (scope.training() && x.grad() != null)
                op.backward(joined(op, "part", op.grad(x), op.grad(y), x, y, from));
            from += x.shape().dim(1);
        }
        return op;
    }

    private static Launch joined(CudaOp op, String kernel, KernelArg to, KernelArg of, Tensor x, Tensor y, int from) {
        return op.kernel(FILE, op.typed(kernel), x.shape().elements())
                .args(to, of, elements(x), x.shape().dim(1), y.shape().dim(1), from);
    }

    /** Masks are drawn anew in backward: cheaper than keeping them, and the same by construction. */
    static CudaOp dropout(
            CudaDevice device, PlanContext scope, Layer.Dropout spec, Tensor x, long seed, RunState control) {
        CudaOp op = new CudaOp(device, scope, x);
        Tensor y = op.output(x.shape());
        KernelArg from = op.value(x);
        KernelArg to = op.value(y);
        if (!scope.training()) {
            long bytes = x.layout().bytes();
            op.forward(() -> Check.driver(
                    cuMemcpyDtoDAsync(to.address(), from.address(), bytes, device.context.stream),
                    "cuMemcpyDtoDAsync"));
            return op;
        }
        op.forward(mask(op, spec, x, to, from, seed, control));
        if (x.grad() != null) op.backward(mask(op, spec, x, op.grad(x), op.grad(y), seed, control));
        return op;
    }

    private static Launch mask(
            CudaOp op, Layer.Dropout spec, Tensor x, KernelArg out, KernelArg in, long seed, RunState control) {
        CudaLayout layout = CudaLayout.of(x.layout());
        return packs(op, "dropout", x)
                .args(out, in, control.memory(), elements(x), layout.channels(), layout.inner(), seed)
                .args((int) Math.ceil(spec.p() * (1 << 24)), (float) (1 / (1 - spec.p())));
    }

    static CudaOp map(CudaDevice device, PlanContext scope, Elementwise function, Tensor x) {
        CudaOp op = new CudaOp(device, scope, x);
        if (function.cudaValue() == null || function.cudaSlope() == null) {
            throw new IllegalArgumentException(op.name() + ": the function " + function.name()
                    + " has no CUDA expressions: override cudaValue() and cudaSlope() to return it and its derivative in C, such"
                    + " as \"x / (1 + expf(-x))\", or open the cpu device");
        }
        Tensor y = op.output(x.shape());
        op.forward(user(op, function, "map", x).args(op.value(y), op.value(x), elements(x)));
        if (!scope.training() || x.grad() == null) return op;
        op.backward(user(op, function, "mapBackward", x).args(op.grad(x), op.grad(y), op.value(x), elements(x)));
        return op;
    }

    private static Launch user(CudaOp op, Elementwise function, String kernel, Tensor x) {
        String source = "#define BASIN_VALUE " + function.cudaValue() + "\n#define BASIN_SLOPE " + function.cudaSlope()
                + "\n" + Compiler.resource("map.cu");
        String name = function.name().replaceAll("\\W", "_") + ".cu";
        return op.add(op.device.kernels.launch(name, source, op.typed(kernel), op.packs(x)));
    }
}
