package io.basin.cuda;

import static jcuda.cudaDataType.CUDA_R_16BF;
import static jcuda.cudaDataType.CUDA_R_32F;
import static jcuda.jcublas.cublasComputeType.CUBLAS_COMPUTE_32F;
import static jcuda.jcublas.cublasGemmAlgo.CUBLAS_GEMM_DEFAULT;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_N;
import static jcuda.jcublas.cublasOperation.CUBLAS_OP_T;

import io.basin.device.Layer;
import io.basin.device.Parameter;
import io.basin.device.PlanContext;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import jcuda.Pointer;
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
    CudaDense(CudaDevice device, PlanContext scope, Layer.Dense spec, Tensor x) {
        super(device, scope, x);
        int rows = x.shape().dim(0);
        int out = spec.out();
        int in = Math.toIntExact(x.shape().elements() / rows);
        Tensor y = output(Shape.of(rows, out));
        CudaLayout image = CudaLayout.of(x.shape());
        CudaLayout layout = new CudaLayout(out, image.channels(), image.inner(), false);
        Parameter w = scope.parameter(spec.weight(x.shape().sample()), layout);
        Layer.Param bias = spec.bias(x.shape().sample());
        Parameter b = bias == null ? null : scope.parameter(bias, CudaLayout.of(bias.shape()));
        KernelArg source = value(x);
        KernelArg weights = operand(w);
        forward(gemm(CUBLAS_OP_T, CUBLAS_OP_N, out, rows, in, weights, source, value(y), narrow));
        if (b != null || spec.relu()) forward(CudaPointwise.finish(this, y, b, null, spec.relu()));
        if (!scope.training()) return;
        KernelArg dy = spec.relu() ? CudaPointwise.throughRelu(this, y) : grad(y);
        if (b != null) CudaPointwise.columnSums(this, dy, weightGrad(b), rows, out);
        backward(gemm(CUBLAS_OP_N, CUBLAS_OP_T, in, out, rows, source, dy, weightGrad(w), false));
        if (x.grad() != null) backward(gemm(CUBLAS_OP_N, CUBLAS_OP_N, in, rows, out, weights, dy, grad(x), narrow));
    }

    /**
     * To (m, n) = op(A) (m, k) op(B) (k, n), columns first and without gaps.
     *
     * @param narrowed whether the result is bfloat16 too, where A and B are
     */
    private Runnable gemm(
            int opA, int opB, int m, int n, int k, KernelArg a, KernelArg b, KernelArg to, boolean narrowed) {
        CudaContext c = device.context;
        int type = narrow ? CUDA_R_16BF : CUDA_R_32F;
        int result = narrowed ? CUDA_R_16BF : CUDA_R_32F;
        int lda = opA == CUBLAS_OP_N ? m : k;
        int ldb = opB == CUBLAS_OP_N ? k : n;
        return vendor(() -> {
            Pointer left = a.address();
            Pointer right = b.address();
            int status = JCublas2.cublasGemmEx_new(
                    c.cublas,
                    opA,
                    opB,
                    m,
                    n,
                    k,
                    c.one,
                    left,
                    type,
                    lda,
                    right,
                    type,
                    ldb,
                    c.zero,
                    to.address(),
                    result,
                    m,
                    CUBLAS_COMPUTE_32F,
                    CUBLAS_GEMM_DEFAULT);
            Check.cublas(status, "cublasGemmEx");
        });
    }
}
