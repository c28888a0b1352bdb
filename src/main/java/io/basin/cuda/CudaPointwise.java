package io.basin.cuda;

import static jcuda.driver.JCudaDriver.cuMemcpyDtoDAsync;

import io.basin.device.Control;
import io.basin.device.Elementwise;
import io.basin.device.Parameter;
import io.basin.device.Scope;
import io.basin.device.Spec;
import io.basin.device.Tensor;
import java.util.List;

/** ReLU, sums, dropout, users' functions, biases, and their gradients: see {@code kernels/pointwise.cu}. */
final class CudaPointwise {
    private static final String FILE = "pointwise.cu";
    private static final int LANES = 32;
    private static final int STRIPES = 8;

    private CudaPointwise() {}

    private static int elements(Tensor t) {
        return Math.toIntExact(t.shape().elements());
    }

    /** Threads that take four elements each; no int, which the rounding would overflow at the largest sizes. */
    static long quads(Tensor t) {
        return (t.shape().elements() + 3) / 4;
    }

    private static Launch quads(CudaOp op, String file, String kernel, Tensor t) {
        return op.kernel(file, kernel, quads(t));
    }

    static CudaOp relu(CudaDevice device, Scope scope, Tensor x) {
        CudaOp op = new CudaOp(device, scope, x);
        Tensor y = op.output(x.shape());
        op.forward(quads(op, FILE, "relu", x).arg(op.value(y)).arg(op.value(x)).arg(elements(x)));
        if (scope.training() && x.grad() != null) op.backward(reluBackward(op, y, op.grad(x)));
        return op;
    }

    /** The gradient before a fused ReLU, in a place of its own: the output's gradient may serve others too. */
    static Place throughRelu(CudaOp op, Tensor y) {
        Place before = op.place(op.scope.inBackward(y.layout().bytes()));
        op.backward(reluBackward(op, y, before));
        return before;
    }

    private static Launch reluBackward(CudaOp op, Tensor y, Place dx) {
        return quads(op, FILE, "reluBackward", y)
                .arg(dx)
                .arg(op.grad(y))
                .arg(op.value(y))
                .arg(elements(y));
    }

    /** Adds bias and residual to y where it lies, then ReLU. */
    static Launch finish(CudaOp op, Tensor y, Parameter bias, Tensor residual, boolean relu) {
        return quads(op, FILE, "finish", y)
                .arg(op.value(y))
                .arg(bias == null ? null : op.weight(bias))
                .arg(residual == null ? null : op.value(residual))
                .arg(elements(y))
                .arg(y.shape().dim(1))
                .arg(relu);
    }

    /** ReLU of y where it lies. */
    static Launch reluInPlace(CudaOp op, Tensor y) {
        return quads(op, FILE, "relu", y).arg(op.value(y)).arg(op.value(y)).arg(elements(y));
    }

    /** Backward's sums over the rows of (rows, channels): the gradient of a bias. */
    static void columnSums(CudaOp op, Place x, Place sums, int rows, int channels) {
        int slabs = slabs(rows);
        if (slabs == 1) {
            op.backward(sumsOf(op, x, sums, rows, channels, 1));
            return;
        }
        Place partial = op.place(op.scope.inBackward(4L * slabs * channels));
        op.backward(sumsOf(op, x, partial, rows, channels, slabs));
        op.backward(sumsOf(op, partial, sums, slabs, channels, 1));
    }

    /** How many parts a sum over so many rows is done in. */
    static int slabs(int rows) {
        return Math.max(1, Math.min(128, rows / 256));
    }

    private static Launch sumsOf(CudaOp op, Place x, Place sums, int rows, int channels, int slabs) {
        return columns(op.launch(FILE, "columnSums"), channels, slabs)
                .arg(sums)
                .arg(x)
                .arg(rows)
                .arg(channels);
    }

    /** The grid of kernels that sum over rows: 32 channels a block. */
    static Launch columns(Launch launch, int channels, int slabs) {
        return launch.shape((channels + LANES - 1) / LANES, slabs, LANES, STRIPES);
    }

    static CudaOp add(CudaDevice device, Scope scope, Tensor a, Tensor b) {
        CudaOp op = new CudaOp(device, scope, a, b);
        Tensor y = op.output(a.shape());
        op.forward(sum(op, y, op.value(y), op.value(a), op.value(b)));
        if (!scope.training()) return op;
        Place dy = op.grad(y);
        CudaOp.passOn(a, dy);
        CudaOp.passOn(b, dy);
        return op;
    }

    private static Launch sum(CudaOp op, Tensor like, Place out, Place a, Place b) {
        return quads(op, FILE, "add", like)
                .arg(out)
                .arg(a)
                .arg(b)
                .arg(elements(like))
                .arg(false);
    }

    static CudaOp fork(CudaDevice device, Scope scope, Tensor x, List<Tensor> branches) {
        CudaOp op = new CudaOp(device, scope, x);
        op.output(x);
        if (!scope.training() || x.grad() == null) return op;
        Place dx = op.grad(x);
        Place total = op.grad(branches.get(0));
        for (Tensor branch : branches.subList(1, branches.size())) {
            op.backward(sum(op, x, dx, total, op.grad(branch)));
            total = dx;
        }
        return op;
    }

    /** Masks are drawn anew in backward: cheaper than keeping them, and the same by construction. */
    static CudaOp dropout(CudaDevice device, Scope scope, Spec.Dropout spec, Tensor x, long seed, Control control) {
        CudaOp op = new CudaOp(device, scope, x);
        Tensor y = op.output(x.shape());
        Place from = op.value(x);
        Place to = op.value(y);
        if (!scope.training()) {
            long bytes = x.layout().bytes();
            op.forward(() -> Check.driver(
                    cuMemcpyDtoDAsync(to.address(), from.address(), bytes, device.context().stream),
                    "cuMemcpyDtoDAsync"));
            return op;
        }
        op.forward(mask(op, spec, x, to, from, seed, control));
        if (x.grad() != null) op.backward(mask(op, spec, x, op.grad(x), op.grad(y), seed, control));
        return op;
    }

    private static Launch mask(
            CudaOp op, Spec.Dropout spec, Tensor x, Place out, Place in, long seed, Control control) {
        CudaLayout layout = CudaLayout.of(x.layout());
        return quads(op, FILE, "dropout", x)
                .arg(out)
                .arg(in)
                .arg(CudaDevice.place(control))
                .arg(elements(x))
                .arg(layout.channels())
                .arg(layout.inner())
                .arg(seed)
                .arg((int) Math.ceil(spec.p() * (1 << 24)))
                .arg((float) (1 / (1 - spec.p())));
    }

    static CudaOp map(CudaDevice device, Scope scope, Elementwise function, Tensor x) {
        CudaOp op = new CudaOp(device, scope, x);
        if (function.cudaValue() == null || function.cudaSlope() == null) {
            throw new IllegalArgumentException(op.name() + ": the function " + function.name()
                    + " has no CUDA expressions: override cudaValue() and cudaSlope() to return it and its derivative in C, such"
                    + " as \"x / (1 + expf(-x))\", or open the cpu device (--device cpu)");
        }
        String source = "#define BASIN_VALUE " + function.cudaValue() + "\n#define BASIN_SLOPE " + function.cudaSlope()
                + "\n" + Compiler.resource("map.cu");
        Tensor y = op.output(x.shape());
        op.forward(user(op, function, source, "map", x)
                .arg(op.value(y))
                .arg(op.value(x))
                .arg(elements(x)));
        if (!scope.training() || x.grad() == null) return op;
        op.backward(user(op, function, source, "mapBackward", x)
                .arg(op.grad(x))
                .arg(op.grad(y))
                .arg(op.value(x))
                .arg(elements(x)));
        return op;
    }

    private static Launch user(CudaOp op, Elementwise function, String source, String kernel, Tensor x) {
        Kernels kernels = op.device.kernels();
        String name = function.name().replaceAll("\\W", "_") + ".cu";
        Launch launch = new Launch(op.device.context(), kernels.compile(name, source, kernel), name);
        return op.add(launch).shape(kernels.blocks(quads(x), 256), 1, 256, 1);
    }
}
