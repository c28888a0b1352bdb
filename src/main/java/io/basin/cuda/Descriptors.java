package io.basin.cuda;

import static jcuda.jcudnn.JCudnn.*;
import static jcuda.jcudnn.cudnnConvolutionMode.CUDNN_CROSS_CORRELATION;
import static jcuda.jcudnn.cudnnDataType.CUDNN_DATA_BFLOAT16;
import static jcuda.jcudnn.cudnnDataType.CUDNN_DATA_FLOAT;
import static jcuda.jcudnn.cudnnMathType.CUDNN_DEFAULT_MATH;
import static jcuda.jcudnn.cudnnMathType.CUDNN_FMA_MATH;
import static jcuda.jcudnn.cudnnNanPropagation.CUDNN_PROPAGATE_NAN;
import static jcuda.jcudnn.cudnnPoolingMode.CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING;
import static jcuda.jcudnn.cudnnPoolingMode.CUDNN_POOLING_MAX_DETERMINISTIC;
import static jcuda.jcudnn.cudnnTensorFormat.CUDNN_TENSOR_NHWC;

import io.basin.device.Layer;
import io.basin.device.Precision;
import io.basin.device.Shape;
import io.basin.device.Tensor;
import jcuda.jcudnn.cudnnConvolutionDescriptor;
import jcuda.jcudnn.cudnnFilterDescriptor;
import jcuda.jcudnn.cudnnPoolingDescriptor;
import jcuda.jcudnn.cudnnTensorDescriptor;

/** cuDNN's descriptions of tensors and layers: float32 or bfloat16; sums are float32. Each is destroyed by the {@link Closer} it is made with. */
final class Descriptors {
    private Descriptors() {}

    private static int type(boolean narrow) {
        return narrow ? CUDNN_DATA_BFLOAT16 : CUDNN_DATA_FLOAT;
    }

    /** As it lies: channels last. */
    static cudnnTensorDescriptor tensor(Closer undo, Tensor t) {
        return tensor(undo, t.shape(), CudaLayout.of(t.layout()).narrow(), CUDNN_TENSOR_NHWC);
    }

    /** Of (N, C, H, W) or (N, C). */
    static cudnnTensorDescriptor tensor(Closer undo, Shape s, boolean narrow, int format) {
        cudnnTensorDescriptor made = new cudnnTensorDescriptor();
        Check.cudnn(cudnnCreateTensorDescriptor(made), "cudnnCreateTensorDescriptor");
        undo.add("cudnnDestroyTensorDescriptor", () -> cudnnDestroyTensorDescriptor(made));
        int h = s.rank() == 4 ? s.dim(2) : 1;
        int w = s.rank() == 4 ? s.dim(3) : 1;
        Check.cudnn(
                cudnnSetTensor4dDescriptor(made, format, type(narrow), s.dim(0), s.dim(1), h, w),
                "cudnnSetTensor4dDescriptor");
        return made;
    }

    /** Of (K, C, R, S). */
    static cudnnFilterDescriptor filter(Closer undo, Shape s, boolean narrow, int format) {
        cudnnFilterDescriptor made = new cudnnFilterDescriptor();
        Check.cudnn(cudnnCreateFilterDescriptor(made), "cudnnCreateFilterDescriptor");
        undo.add("cudnnDestroyFilterDescriptor", () -> cudnnDestroyFilterDescriptor(made));
        Check.cudnn(
                cudnnSetFilter4dDescriptor(made, type(narrow), format, s.dim(0), s.dim(1), s.dim(2), s.dim(3)),
                "cudnnSetFilter4dDescriptor");
        return made;
    }

    /** How a convolution's products are computed. cuDNN's default takes tensor cores, which round float32 to TF32. */
    static int math(Precision precision) {
        return precision == Precision.STRICT ? CUDNN_FMA_MATH : CUDNN_DEFAULT_MATH;
    }

    static cudnnConvolutionDescriptor convolution(Closer undo, Layer.Conv s, int math) {
        cudnnConvolutionDescriptor made = new cudnnConvolutionDescriptor();
        Check.cudnn(cudnnCreateConvolutionDescriptor(made), "cudnnCreateConvolutionDescriptor");
        undo.add("cudnnDestroyConvolutionDescriptor", () -> cudnnDestroyConvolutionDescriptor(made));
        Layer.Window v = s.vertical();
        Layer.Window h = s.horizontal();
        Check.cudnn(
                cudnnSetConvolution2dDescriptor(
                        made,
                        v.pad(),
                        h.pad(),
                        v.stride(),
                        h.stride(),
                        v.dilation(),
                        h.dilation(),
                        CUDNN_CROSS_CORRELATION,
                        CUDNN_DATA_FLOAT),
                "cudnnSetConvolution2dDescriptor");
        Check.cudnn(cudnnSetConvolutionGroupCount(made, s.groups()), "cudnnSetConvolutionGroupCount");
        Check.cudnn(cudnnSetConvolutionMathType(made, math), "cudnnSetConvolutionMathType");
        return made;
    }

    /** Deterministic, and averages do not count padding. */
    static cudnnPoolingDescriptor pooling(Closer undo, Layer.Pool s) {
        cudnnPoolingDescriptor made = new cudnnPoolingDescriptor();
        Check.cudnn(cudnnCreatePoolingDescriptor(made), "cudnnCreatePoolingDescriptor");
        undo.add("cudnnDestroyPoolingDescriptor", () -> cudnnDestroyPoolingDescriptor(made));
        int mode = s.kind() == Layer.PoolKind.MAX
                ? CUDNN_POOLING_MAX_DETERMINISTIC
                : CUDNN_POOLING_AVERAGE_COUNT_EXCLUDE_PADDING;
        Layer.Window v = s.vertical();
        Layer.Window h = s.horizontal();
        Check.cudnn(
                cudnnSetPooling2dDescriptor(
                        made,
                        mode,
                        CUDNN_PROPAGATE_NAN,
                        v.kernel(),
                        h.kernel(),
                        v.pad(),
                        h.pad(),
                        v.stride(),
                        h.stride()),
                "cudnnSetPooling2dDescriptor");
        return made;
    }
}
