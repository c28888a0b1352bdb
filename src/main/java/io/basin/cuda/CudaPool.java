package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.cudnnPoolingBackward;
import static jcuda.jcudnn.JCudnn.cudnnPoolingForward;

import io.basin.device.Layer;
import io.basin.device.PlanContext;
import io.basin.device.Tensor;
import jcuda.Pointer;
import jcuda.jcudnn.cudnnPoolingDescriptor;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** Maximum and average pooling. Backward of a maximum finds it again by comparing x with y. */
final class CudaPool extends CudaOp {
    CudaPool(CudaDevice device, PlanContext scope, Layer.Pool spec, Tensor x) {
        super(device, scope, x);
        planned(() -> plan(spec, x));
    }

    private void plan(Layer.Pool spec, Tensor x) {
        Tensor y = output(spec.output(scope.path(), x));
        CudaContext c = device.context;
        cudnnPoolingDescriptor pool = Descriptors.pooling(undo, spec);
        cudnnTensorDescriptor in = Descriptors.tensor(undo, x);
        cudnnTensorDescriptor out = Descriptors.tensor(undo, y);
        KernelArg source = value(x);
        KernelArg target = value(y);
        forward(vendor(() -> Check.cudnn(
                cudnnPoolingForward(c.cudnn, pool, c.one, in, source.address(), c.zero, out, target.address()),
                "cudnnPoolingForward")));
        if (!scope.training() || x.grad() == null) return;
        KernelArg dy = grad(y);
        KernelArg dx = grad(x);
        backward(vendor(() -> {
            Pointer top = target.address();
            int status = cudnnPoolingBackward(
                    c.cudnn, pool, c.one, out, top, out, dy.address(), in, source.address(), c.zero, in, dx.address());
            Check.cudnn(status, "cudnnPoolingBackward");
        }));
    }
}
