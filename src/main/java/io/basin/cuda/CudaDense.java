package io.basin.cuda;

import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;

import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import jcuda.jcublas.JCublas2;

/**
 * Fully connected layer; an image is flattened by the weights' layout, never by moving it.
 *
 * <p>cuBLAS counts columns first, so each row-major matrix is handed to it as its transpose:
 *
 * <pre>
 *   y  = x W^T    (N, out):  y^T = W x^T
 *   dW = dy^T x   (out, in): dW^T = x^T dy
 *   dx = dy W     (N, in):   dx^T = W^T dy^T
 * </pre>
 */
final class CudaDense extends CudaOp {
    private final Layer.Dense spec;
    private final Tensor x;
    private final int rows;
    private final int in;
    private final int out;

    CudaDense(CudaDevice device, PlanContext scope, Layer.Dense spec, Tensor x) {
        super(device, scope, x);
        this.spec = spec;
        this.x = x;
        rows = x.shape().dim(0);
        out = spec.out();
        in = Math.toIntExact(x.shape().elements() / rows);
        Tensor y = output(Shape.of(rows, out));
        CudaLayout image = CudaLayout.of(x.shape());
        CudaLayout layout = new CudaLayout(out, image.channels(), image.inner());
        Parameter w = scope.parameter(spec.weight(x.shape().sample()), layout);
        Parameter b = spec.bias() ? scope.parameter(spec.bias(x.shape().sample()), CudaLayout.of(Shape.of(out))) : null;
        KernelArg source = value(x);
        KernelArg weights = weight(w);
        forward(gemm(CUBLAS_OP_T, CUBLAS_OP_N, out, rows, in, weights, in, source, in, value(y), out));
        if (b != null || spec.relu()) forward(CudaPointwise.finish(this, y, b, null, spec.relu()));
        if (scope.training()) planBackward(source, weights, w, b);
    }

    private void planBackward(KernelArg source, KernelArg weights, Parameter w, Parameter b) {
        KernelArg dy = spec.relu() ? CudaPointwise.throughRelu(this, output()) : grad(output());
        if (b != null) CudaPointwise.columnSums(this, dy, weightGrad(b), rows, out);
        backward(gemm(CUBLAS_OP_N, CUBLAS_OP_T, in, out, rows, source, in, dy, out, weightGrad(w), in));
        if (x.grad() == null) return;
        backward(gemm(CUBLAS_OP_N, CUBLAS_OP_N, in, rows, out, weights, in, dy, out, grad(x), in));
    }

    /** C (m, n) = op(A) op(B), columns first. */
    private Runnable gemm(
            int opA, int opB, int m, int n, int k, KernelArg a, int lda, KernelArg b, int ldb, KernelArg c, int ldc) {
        CudaContext cuda = device.context();
        boolean fast = CudaContext.tf32(scope.precision());
        return vendor(() -> {
            cuda.math(fast);
            Check.cublas(
                    JCublas2.cublasSgemm(
                            cuda.cublas,
                            opA,
                            opB,
                            m,
                            n,
                            k,
                            cuda.one,
                            a.address(),
                            lda,
                            b.address(),
                            ldb,
                            cuda.zero,
                            c.address(),
                            ldc),
                    "cublasSgemm");
        });
    }
}
