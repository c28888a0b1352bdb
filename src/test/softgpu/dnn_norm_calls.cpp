// cuDNN: the calls of batch normalisation.
#include "dnn_norm.h"

namespace softgpu::dnn {
namespace {

enum Ops { BN, BN_ACTIVATION, BN_ADD_ACTIVATION };

// Fused activations exist for half precision in NHWC only, which this device does not compute.
void requirePlain(int ops) {
    require(ops >= BN && ops <= BN_ADD_ACTIVATION, BAD_PARAM, "no such fusion");
    require(ops == BN, NOT_SUPPORTED_DATA_TYPE, "normalisation fuses an activation for half precision in NHWC only");
}

std::size_t workspaceOf(const Tensor& x) { return std::size_t(x.dims[1]) * 16 + 1005; }
std::size_t reserveOf(const Tensor& x) { return std::size_t(x.dims[1]) * 8 + 505; }
constexpr int MARK = 0x5a;  // what forward leaves in the reserve space and backward expects there

void requireSpaces(const Tensor& x, void* workspace, std::size_t bytes, void* reserve, std::size_t reserveBytes) {
    require(workspace != nullptr && bytes >= workspaceOf(x), BAD_PARAM, "the workspace is smaller than asked for");
    require(reserve != nullptr && reserveBytes >= reserveOf(x), BAD_PARAM,
            "the reserve space is smaller than asked for");
}

void sizeOf(Handle* h, int ops, Tensor* xDesc, std::size_t* bytes, std::size_t (*of)(const Tensor&)) {
    handles().get(h);
    const Tensor& x = tensors().get(xDesc);
    requireFloat(x), requirePlain(ops);
    give(bytes, of(x));
}

}  // namespace
}  // namespace softgpu::dnn

using namespace softgpu::dnn;
using softgpu::Accessor;
using softgpu::require;

extern "C" {

int cudnnDeriveBNTensorDescriptor(Tensor* derived, Tensor* xDesc, int mode) {
    return softgpu::dnn::call(__func__, [&] {
        require(mode >= PER_ACTIVATION && mode <= SPATIAL_PERSISTENT, BAD_PARAM, "no such mode");
        const Tensor& x = tensors().get(xDesc);
        require(x.rank != 0, BAD_PARAM, "a descriptor that was never set");
        Tensor t;
        t.type = x.type == HALF ? int(FLOAT) : x.type, t.rank = x.rank;
        int stride = 1;
        for (int i = x.rank - 1; i >= 0; i--) {
            t.dims[i] = i == 1 || (i > 1 && mode == PER_ACTIVATION) ? x.dims[i] : 1;
            t.strides[i] = stride, stride *= t.dims[i];
        }
        tensors().get(derived) = t;
    });
}
int cudnnBatchNormalizationForwardTraining(Handle* h, int mode, const void* alpha, const void* beta, Tensor* xDesc,
                                           const void* x, Tensor* yDesc, void* y, Tensor* paramDesc, const void* scale,
                                           const void* bias, double factor, void* runningMean, void* runningVariance,
                                           double epsilon, void* savedMean, void* savedInverse) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor in = tensors().get(xDesc);
        Training t{Norm(mode, in, tensors().get(paramDesc), epsilon),
                   Blend(alpha, beta),
                   in,
                   tensors().get(yDesc),
                   x,
                   scale,
                   bias,
                   y,
                   factor,
                   runningMean,
                   runningVariance,
                   savedMean,
                   savedInverse};
        t.check();
        run(handles().get(h), "cudnnBatchNormalizationForwardTraining x" + in.shape(), t);
    });
}
int cudnnBatchNormalizationForwardInference(Handle* h, int mode, const void* alpha, const void* beta, Tensor* xDesc,
                                            const void* x, Tensor* yDesc, void* y, Tensor* paramDesc, const void* scale,
                                            const void* bias, const void* mean, const void* variance, double epsilon) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor in = tensors().get(xDesc), out = tensors().get(yDesc);
        Norm norm(mode, in, tensors().get(paramDesc), epsilon);
        Blend blend(alpha, beta);
        requireFloat(out), requireSameShape(in, out);
        for (const void* p : {x, static_cast<const void*>(y), scale, bias, mean, variance}) requireData(p);
        run(handles().get(h), "cudnnBatchNormalizationForwardInference x" + in.shape(), [=](Accessor& memory) {
            const Tensor& p = norm.parameters;
            Input from(memory, in, x), gamma(memory, p, scale), shift(memory, p, bias);
            Input m(memory, p, mean), v(memory, p, variance);
            std::vector<double> variances(v.data(), v.data() + norm.features);
            Output to(memory, out, y, blend);
            normalise(norm, from.data(), {m.data(), m.data() + norm.features},
                      inverseDeviation(variances, norm.epsilon), gamma, shift, to.data());
            to.finish();
        });
    });
}
int cudnnBatchNormalizationBackward(Handle* h, int mode, const void* alphaData, const void* betaData,
                                    const void* alphaParam, const void* betaParam, Tensor* xDesc, const void* x,
                                    Tensor* dyDesc, const void* dy, Tensor* dxDesc, void* dx, Tensor* paramDesc,
                                    const void* scale, void* dScale, void* dBias, double epsilon, const void* savedMean,
                                    const void* savedInverse) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor in = tensors().get(xDesc);
        Backward b{Norm(mode, in, tensors().get(paramDesc), epsilon),
                   Blend(alphaData, betaData),
                   Blend(alphaParam, betaParam),
                   in,
                   tensors().get(dyDesc),
                   tensors().get(dxDesc),
                   x,
                   dy,
                   scale,
                   dx,
                   dScale,
                   dBias,
                   savedMean,
                   savedInverse};
        b.check();
        run(handles().get(h), "cudnnBatchNormalizationBackward x" + in.shape(), b);
    });
}

int cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(Handle* h, int, int ops, Tensor* x, Tensor*, Tensor*,
                                                             Tensor*, Activation*, std::size_t* bytes) {
    return softgpu::dnn::call(__func__, [&] { sizeOf(h, ops, x, bytes, workspaceOf); });
}
int cudnnGetBatchNormalizationBackwardExWorkspaceSize(Handle* h, int, int ops, Tensor* x, Tensor*, Tensor*, Tensor*,
                                                      Tensor*, Tensor*, Activation*, std::size_t* bytes) {
    return softgpu::dnn::call(__func__, [&] { sizeOf(h, ops, x, bytes, workspaceOf); });
}
int cudnnGetBatchNormalizationTrainingExReserveSpaceSize(Handle* h, int, int ops, Activation*, Tensor* x,
                                                         std::size_t* bytes) {
    return softgpu::dnn::call(__func__, [&] { sizeOf(h, ops, x, bytes, reserveOf); });
}
int cudnnBatchNormalizationForwardTrainingEx(Handle* h, int mode, int ops, const void* alpha, const void* beta,
                                             Tensor* xDesc, const void* x, Tensor*, const void*, Tensor* yDesc, void* y,
                                             Tensor* paramDesc, const void* scale, const void* bias, double factor,
                                             void* runningMean, void* runningVariance, double epsilon, void* savedMean,
                                             void* savedInverse, Activation*, void* workspace, std::size_t bytes,
                                             void* reserve, std::size_t reserveBytes) {
    return softgpu::dnn::call(__func__, [&] {
        requirePlain(ops);
        Tensor in = tensors().get(xDesc);
        Training t{Norm(mode, in, tensors().get(paramDesc), epsilon),
                   Blend(alpha, beta),
                   in,
                   tensors().get(yDesc),
                   x,
                   scale,
                   bias,
                   y,
                   factor,
                   runningMean,
                   runningVariance,
                   savedMean,
                   savedInverse};
        t.check();
        requireSpaces(in, workspace, bytes, reserve, reserveBytes);
        run(handles().get(h), "cudnnBatchNormalizationForwardTrainingEx x" + in.shape(), [=](Accessor& memory) {
            scribble(memory, workspace, workspaceOf(in));
            auto at = reinterpret_cast<softgpu::Address>(reserve);
            std::memset(memory.write(at, reserveOf(in)), MARK, reserveOf(in));
            t(memory);
        });
    });
}
int cudnnBatchNormalizationBackwardEx(Handle* h, int mode, int ops, const void* alphaData, const void* betaData,
                                      const void* alphaParam, const void* betaParam, Tensor* xDesc, const void* x,
                                      Tensor*, const void*, Tensor* dyDesc, const void* dy, Tensor*, void*,
                                      Tensor* dxDesc, void* dx, Tensor* paramDesc, const void* scale, const void*,
                                      void* dScale, void* dBias, double epsilon, const void* savedMean,
                                      const void* savedInverse, Activation*, void* workspace, std::size_t bytes,
                                      void* reserve, std::size_t reserveBytes) {
    return softgpu::dnn::call(__func__, [&] {
        requirePlain(ops);
        Tensor in = tensors().get(xDesc);
        Backward b{Norm(mode, in, tensors().get(paramDesc), epsilon),
                   Blend(alphaData, betaData),
                   Blend(alphaParam, betaParam),
                   in,
                   tensors().get(dyDesc),
                   tensors().get(dxDesc),
                   x,
                   dy,
                   scale,
                   dx,
                   dScale,
                   dBias,
                   savedMean,
                   savedInverse};
        b.check();
        requireSpaces(in, workspace, bytes, reserve, reserveBytes);
        run(handles().get(h), "cudnnBatchNormalizationBackwardEx x" + in.shape(), [=](Accessor& memory) {
            scribble(memory, workspace, workspaceOf(in));
            const char* kept = softgpu::read(memory, static_cast<const char*>(reserve), reserveOf(in));
            for (std::size_t i = 0; i < reserveOf(in); i++)
                if (kept[i] != MARK)
                    throw softgpu::Violation("the reserve space was overwritten since the forward call");
            b(memory);
        });
    });
}
}
