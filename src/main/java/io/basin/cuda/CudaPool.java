package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.cudnnPoolingBackward;
import static jcuda.jcudnn.JCudnn.cudnnPoolingForward;

import io.basin.device.Layer;
import io.basin.device.PlanContext;
import io.basin.device.Tensor;
import jcuda.jcudnn.cudnnPoolingDescriptor;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** Maximum and average pooling. Backward of a maximum finds it again by comparing x with y. */
final class CudaPool extends CudaOp {
    private CudaPool(CudaDevice device, PlanContext scope, Tensor x) {
        super(device, scope, x);
    }

    static CudaPool plan(CudaDevice device, PlanContext scope, Layer.Pool spec, Tensor x) {
        CudaPool op = new CudaPool(device, scope, x);
        try {
            op.plan(spec, x);
            return op;
        } catch (RuntimeException e) {
            op.close();
            throw e;
        }
    }

    private void plan(Layer.Pool spec, Tensor x) {
        Tensor y = output(spec.output(scope.path(), x));
        CudaContext cuda = device.context();
        cudnnPoolingDescriptor pool = Descriptors.pooling(undo, spec);
        cudnnTensorDescriptor in = Descriptors.tensor(undo, x.shape());
        cudnnTensorDescriptor out = Descriptors.tensor(undo, y.shape());
        KernelArg source = value(x);
        KernelArg target = value(y);
        forward(vendor(() -> Check.cudnn(
                cudnnPoolingForward(cuda.cudnn, pool, cuda.one, in, source.address(), cuda.zero, out, target.address()),
                "cudnnPoolingForward")));
        if (!scope.training() || x.grad() == null) return;
        KernelArg dy = grad(y);
        KernelArg dx = grad(x);
        backward(vendor(() -> Check.cudnn(
                cudnnPoolingBackward(
                        cuda.cudnn,
                        pool,
                        cuda.one,
                        out,
                        target.address(),
                        out,
                        dy.address(),
                        in,
                        source.address(),
                        cuda.zero,
                        in,
                        dx.address()),
                "cudnnPoolingBackward")));
    }
}
