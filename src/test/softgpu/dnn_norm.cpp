// cuDNN: batch normalisation.
//
// Normalised with the biased variance; the running variance takes the unbiased one; "inverse variance" is
// 1 / sqrt(variance + epsilon). Sums run in double over (pixels, features) in memory order.
#include <cmath>

#include "dnn.h"

namespace softgpu::dnn {
namespace {

enum Mode { PER_ACTIVATION, SPATIAL, SPATIAL_PERSISTENT };
enum Ops { BN, BN_ACTIVATION, BN_ADD_ACTIVATION };

// Statistics are taken over `rows` for each of `features`; both modes are this, with other sizes.
struct Norm {
    Tensor parameters;
    std::size_t rows, features;
    double epsilon;

    Norm(int mode, const Tensor& x, const Tensor& parameters, double epsilon) : parameters(parameters), epsilon(epsilon) {
        require(mode >= PER_ACTIVATION && mode <= SPATIAL_PERSISTENT, BAD_PARAM, "no such mode");
        require(epsilon >= 0, BAD_PARAM, "epsilon is below CUDNN_BN_MIN_EPSILON");
        requireFloat(x), requireFloat(parameters);
        require(x.rank == 4 || x.rank == 5, NOT_SUPPORTED, "four or five dimensions");
        require(parameters.rank == x.rank && parameters.dims[0] == 1 && parameters.dims[1] == x.dims[1], BAD_PARAM,
                "the parameters' shape is not the derived one");
        for (int i = 2; i < x.rank; i++)
            require(parameters.dims[i] == (mode == PER_ACTIVATION ? x.dims[i] : 1), BAD_PARAM,
                    "the parameters' shape is not the derived one");
        features = parameters.count();
        rows = x.count() / features;
    }
};

struct Statistics {
    std::vector<double> mean, variance;  // biased
};

Statistics statistics(const Norm& norm, const float* x) {
    std::size_t f = norm.features;
    Statistics s{std::vector<double>(f, 0.0), std::vector<double>(f, 0.0)};
    for (std::size_t r = 0; r < norm.rows; r++)
        for (std::size_t j = 0; j < f; j++) s.mean[j] += x[r * f + j];
    for (double& mean : s.mean) mean /= double(norm.rows);
    for (std::size_t r = 0; r < norm.rows; r++)
        for (std::size_t j = 0; j < f; j++) {
            double d = x[r * f + j] - s.mean[j];
            s.variance[j] += d * d;
        }
    for (double& variance : s.variance) variance /= double(norm.rows);
    return s;
}

std::vector<float> inverse(const std::vector<double>& variance, double epsilon) {
    std::vector<float> result;
    for (double v : variance) result.push_back(float(1 / std::sqrt(v + epsilon)));
    return result;
}

void normalise(const Norm& norm, const float* x, const std::vector<float>& mean, const std::vector<float>& inverse,
               const Input& scale, const Input& bias, float* y) {
    std::size_t f = norm.features;
    for (std::size_t r = 0; r < norm.rows; r++)
        for (std::size_t j = 0; j < f; j++)
            y[r * f + j] = scale[j] * ((x[r * f + j] - mean[j]) * inverse[j]) + bias[j];
}

void store(Accessor& memory, const Tensor& tensor, void* at, const std::vector<float>& values) {
    if (at == nullptr) return;
    Output out(memory, tensor, at, {1, 0});
    for (std::size_t i = 0; i < values.size(); i++) out[i] = values[i];
    out.finish();
}

// running = (1 - factor) running + factor value; a factor of 1 does not read what was there.
void advance(Accessor& memory, const Tensor& tensor, void* running, const std::vector<double>& value, double factor) {
    if (running == nullptr) return;
    std::vector<float> next(value.size());
    if (factor == 1) {
        for (std::size_t i = 0; i < next.size(); i++) next[i] = float(value[i]);
    } else {
        Input old(memory, tensor, running);
        for (std::size_t i = 0; i < next.size(); i++) next[i] = float((1 - factor) * old[i] + factor * value[i]);
    }
    store(memory, tensor, running, next);
}

struct Training {
    Norm norm;
    Blend blend;
    Tensor in, out;
    const void *x, *scale, *bias;
    void* y;
    double factor;
    void *runningMean, *runningVariance, *savedMean, *savedInverse;

    void check() const {
        requireFloat(out), requireSameShape(in, out);
        requireData(x), requireData(y), requireData(scale), requireData(bias);
        require((runningMean == nullptr) == (runningVariance == nullptr), BAD_PARAM,
                "running mean and variance: both or none");
        require((savedMean == nullptr) == (savedInverse == nullptr), BAD_PARAM, "saved mean and inverse: both or none");
        require(factor >= 0 && factor <= 1, BAD_PARAM, "the averaging factor is outside [0, 1]");
    }

    void operator()(Accessor& memory) const {
        Input from(memory, in, x), gamma(memory, norm.parameters, scale), beta(memory, norm.parameters, bias);
        Statistics s = statistics(norm, from.data());
        std::vector<float> mean(s.mean.begin(), s.mean.end()), inv = inverse(s.variance, norm.epsilon);
        Output to(memory, out, y, blend);
        normalise(norm, from.data(), mean, inv, gamma, beta, to.data());
        to.finish();
        store(memory, norm.parameters, savedMean, mean);
        store(memory, norm.parameters, savedInverse, inv);
        double unbiased = norm.rows > 1 ? double(norm.rows) / double(norm.rows - 1) : 1;
        advance(memory, norm.parameters, runningMean, s.mean, factor);
        for (double& v : s.variance) v *= unbiased;
        advance(memory, norm.parameters, runningVariance, s.variance, factor);
    }
};

struct Backward {
    Norm norm;
    Blend data, parameters;
    Tensor in, gradient, out;
    const void *x, *dy, *scale;
    void *dx, *dScale, *dBias;
    const void *savedMean, *savedInverse;

    void check() const {
        requireFloat(gradient), requireFloat(out), requireSameShape(in, gradient), requireSameShape(in, out);
        requireData(x), requireData(dy), requireData(scale), requireData(dx), requireData(dScale), requireData(dBias);
        require((savedMean == nullptr) == (savedInverse == nullptr), BAD_PARAM, "saved mean and inverse: both or none");
    }

    // dx = scale inv (dy - mean(dy) - xhat mean(dy xhat)), with xhat = (x - mean) inv
    void operator()(Accessor& memory) const {
        Input xs(memory, in, x), dys(memory, gradient, dy), gamma(memory, norm.parameters, scale);
        std::size_t f = norm.features;
        std::vector<float> mean(f), inv(f);
        if (savedMean == nullptr) {
            Statistics s = statistics(norm, xs.data());
            mean.assign(s.mean.begin(), s.mean.end()), inv = inverse(s.variance, norm.epsilon);
        } else {
            Input m(memory, norm.parameters, savedMean), i(memory, norm.parameters, savedInverse);
            mean.assign(m.data(), m.data() + f), inv.assign(i.data(), i.data() + f);
        }
        std::vector<double> sum(f, 0.0), product(f, 0.0);
        for (std::size_t r = 0; r < norm.rows; r++)
            for (std::size_t j = 0; j < f; j++) {
                double g = dys[r * f + j];
                sum[j] += g;
                product[j] += g * ((xs[r * f + j] - mean[j]) * inv[j]);
            }
        Output to(memory, out, dx, data);
        std::vector<float> shift(f), slope(f);
        for (std::size_t j = 0; j < f; j++)
            shift[j] = float(sum[j] / double(norm.rows)), slope[j] = float(product[j] / double(norm.rows));
        for (std::size_t r = 0; r < norm.rows; r++)
            for (std::size_t j = 0; j < f; j++) {
                float hat = (xs[r * f + j] - mean[j]) * inv[j];
                to[r * f + j] = gamma[j] * inv[j] * (dys[r * f + j] - shift[j] - hat * slope[j]);
            }
        to.finish();
        Output scaleOut(memory, norm.parameters, dScale, parameters), biasOut(memory, norm.parameters, dBias, parameters);
        for (std::size_t j = 0; j < f; j++) scaleOut[j] = float(product[j]), biasOut[j] = float(sum[j]);
        scaleOut.finish(), biasOut.finish();
    }
};

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
    require(reserve != nullptr && reserveBytes >= reserveOf(x), BAD_PARAM, "the reserve space is smaller than asked for");
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
        Training t{Norm(mode, in, tensors().get(paramDesc), epsilon), Blend(alpha, beta), in, tensors().get(yDesc), x,
                   scale, bias, y, factor, runningMean, runningVariance, savedMean, savedInverse};
        t.check();
        run(handles().get(h), "cudnnBatchNormalizationForwardTraining x" + in.shape(), t);
    });
}
int cudnnBatchNormalizationForwardInference(Handle* h, int mode, const void* alpha, const void* beta, Tensor* xDesc,
                                            const void* x, Tensor* yDesc, void* y, Tensor* paramDesc,
                                            const void* scale, const void* bias, const void* mean,
                                            const void* variance, double epsilon) {
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
            normalise(norm, from.data(), {m.data(), m.data() + norm.features}, inverse(variances, norm.epsilon), gamma,
                      shift, to.data());
            to.finish();
        });
    });
}
int cudnnBatchNormalizationBackward(Handle* h, int mode, const void* alphaData, const void* betaData,
                                    const void* alphaParam, const void* betaParam, Tensor* xDesc, const void* x,
                                    Tensor* dyDesc, const void* dy, Tensor* dxDesc, void* dx, Tensor* paramDesc,
                                    const void* scale, void* dScale, void* dBias, double epsilon,
                                    const void* savedMean, const void* savedInverse) {
    return softgpu::dnn::call(__func__, [&] {
        Tensor in = tensors().get(xDesc);
        Backward b{Norm(mode, in, tensors().get(paramDesc), epsilon), Blend(alphaData, betaData),
                   Blend(alphaParam, betaParam), in, tensors().get(dyDesc), tensors().get(dxDesc), x, dy, scale, dx,
                   dScale, dBias, savedMean, savedInverse};
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
        Training t{Norm(mode, in, tensors().get(paramDesc), epsilon), Blend(alpha, beta), in, tensors().get(yDesc), x,
                   scale, bias, y, factor, runningMean, runningVariance, savedMean, savedInverse};
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
        Backward b{Norm(mode, in, tensors().get(paramDesc), epsilon), Blend(alphaData, betaData),
                   Blend(alphaParam, betaParam), in, tensors().get(dyDesc), tensors().get(dxDesc), x, dy, scale, dx,
                   dScale, dBias, savedMean, savedInverse};
        b.check();
        requireSpaces(in, workspace, bytes, reserve, reserveBytes);
        run(handles().get(h), "cudnnBatchNormalizationBackwardEx x" + in.shape(), [=](Accessor& memory) {
            scribble(memory, workspace, workspaceOf(in));
            const char* kept = softgpu::read(memory, static_cast<const char*>(reserve), reserveOf(in));
            for (std::size_t i = 0; i < reserveOf(in); i++)
                if (kept[i] != MARK) throw softgpu::Violation("cudnnBatchNormalizationBackwardEx: the reserve space was overwritten since the forward call");
            b(memory);
        });
    });
}
}
