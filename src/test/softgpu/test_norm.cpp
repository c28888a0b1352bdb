// cuDNN's batch normalisation against naive loops: both modes, all layouts, statistics, gradients, refusals.
#include "test_dnn.h"

using namespace test;

extern "C" {
int cudnnDeriveBNTensorDescriptor(Any, Any, int);
int cudnnGetTensor4dDescriptor(Any, int*, int*, int*, int*, int*, int*, int*, int*, int*);
int cudnnBatchNormalizationForwardTraining(Any, int, const void*, const void*, Any, const void*, Any, void*, Any,
                                           const void*, const void*, double, void*, void*, double, void*, void*);
int cudnnBatchNormalizationForwardInference(Any, int, const void*, const void*, Any, const void*, Any, void*, Any,
                                            const void*, const void*, const void*, const void*, double);
int cudnnBatchNormalizationBackward(Any, int, const void*, const void*, const void*, const void*, Any, const void*, Any,
                                    const void*, Any, void*, Any, const void*, void*, void*, double, const void*,
                                    const void*);
int cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(Any, int, int, Any, Any, Any, Any, Any, std::size_t*);
int cudnnGetBatchNormalizationTrainingExReserveSpaceSize(Any, int, int, Any, Any, std::size_t*);
int cudnnBatchNormalizationForwardTrainingEx(Any, int, int, const void*, const void*, Any, const void*, Any,
                                             const void*, Any, void*, Any, const void*, const void*, double, void*,
                                             void*, double, void*, void*, Any, void*, std::size_t, void*, std::size_t);
int cudnnBatchNormalizationBackwardEx(Any, int, int, const void*, const void*, const void*, const void*, Any,
                                      const void*, Any, const void*, Any, const void*, Any, void*, Any, void*, Any,
                                      const void*, const void*, void*, void*, double, const void*, const void*, Any,
                                      void*, std::size_t, void*, std::size_t);
}

namespace {

constexpr double EPSILON = 1e-3;
using Doubles = std::vector<double>;

// The formulas, feature by feature.
struct Oracle {
    Shape x, parameters;
    bool spatial;
    std::size_t rows;
    Doubles mean, variance;

    std::size_t feature(int c, int h, int w) const {
        return spatial ? parameters.at(0, c, 0, 0) : parameters.at(0, c, h, w);
    }
    Oracle(const Values& values, const Shape& parameters, bool spatial)
        : x(values.shape()),
          parameters(parameters),
          spatial(spatial),
          rows(x.elements() / parameters.elements()),
          mean(parameters.elements(), 0.0),
          variance(parameters.elements(), 0.0) {
        x.each([&](int n, int c, int h, int w) { mean[feature(c, h, w)] += values.host[x.at(n, c, h, w)]; });
        for (double& m : mean) m /= double(rows);
        x.each([&](int n, int c, int h, int w) {
            double d = values.host[x.at(n, c, h, w)] - mean[feature(c, h, w)];
            variance[feature(c, h, w)] += d * d / double(rows);
        });
    }
    double inverse(std::size_t f) const { return 1 / std::sqrt(variance[f] + EPSILON); }
};

struct Norm {
    Dnn dnn;
    bool spatial;
    Values x, y, scale, bias, runningMean, runningVariance, savedMean, savedInverse;
    Oracle oracle;

    Norm(Shape shape, bool spatial)
        : spatial(spatial),
          x(shape, 1),
          y(shape, 2),
          scale(derived(shape, spatial), 3),
          bias(derived(shape, spatial), 4),
          runningMean(derived(shape, spatial), 5),
          runningVariance(derived(shape, spatial), 6),
          savedMean(derived(shape, spatial), 7, false),
          savedInverse(derived(shape, spatial), 8, false),
          oracle(x, scale.shape(), spatial) {}
    static Shape derived(const Shape& x, bool spatial) {
        return {1, x.c, spatial ? 1 : x.h, spatial ? 1 : x.w, Shape::NCHW};
    }
    int mode() const { return spatial ? 1 : 0; }
    int train(float alpha, float beta, double factor, void* mean, void* variance, void* saved, void* inverse,
              double epsilon = EPSILON) {
        return cudnnBatchNormalizationForwardTraining(dnn, mode(), &alpha, &beta, x.tensor, x.device, y.tensor,
                                                      y.device, scale.tensor, scale.device, bias.device, factor, mean,
                                                      variance, epsilon, saved, inverse);
    }
};

template <class Body>
void eachNorm(Body body) {
    for (Shape::Layout layout : LAYOUTS)
        for (bool spatial : {true, false}) {
            Norm norm({5, 3, 4, 7, layout}, spatial);
            body(norm);
        }
}

}  // namespace

CASE("normalisation in training: biased variance for y, unbiased for the running one, saved inverse deviation") {
    eachNorm([](Norm& norm) {
        const Oracle& o = norm.oracle;
        double factor = 0.3, n = double(o.rows);
        Doubles y, mean, variance, inverse;
        o.x.each([&](int i, int c, int h, int w) {
            std::size_t f = o.feature(c, h, w), at = o.x.at(i, c, h, w);
            double hat = (norm.x.host[at] - o.mean[f]) * o.inverse(f);
            y.push_back(2 * (norm.scale.host[f] * hat + norm.bias.host[f]) - 0.5 * norm.y.host[at]);
        });
        for (std::size_t f = 0; f < o.mean.size(); f++) {
            mean.push_back((1 - factor) * norm.runningMean.host[f] + factor * o.mean[f]);
            variance.push_back((1 - factor) * norm.runningVariance.host[f] + factor * o.variance[f] * n / (n - 1));
            inverse.push_back(o.inverse(f));
        }
        ok(norm.train(2, -0.5f, factor, norm.runningMean.device, norm.runningVariance.device, norm.savedMean.device,
                      norm.savedInverse.device),
           "training");
        close(norm.y.get(), y, 1e-5, "y");
        close(norm.runningMean.get(), mean, 1e-6, "running mean");
        close(norm.runningVariance.get(), variance, 1e-6, "running variance");
        close(norm.savedMean.get(), o.mean, 1e-6, "saved mean");
        close(norm.savedInverse.get(), inverse, 1e-6, "saved inverse");
        ok(norm.train(1, 0, 1, nullptr, nullptr, nullptr, nullptr), "without running or saved statistics");
        ok(cuCtxSynchronize(), "synchronise");
    });
}

CASE("normalisation in inference uses the given statistics") {
    eachNorm([](Norm& norm) {
        const Oracle& o = norm.oracle;
        for (float& v : norm.runningVariance.host) v = std::fabs(v);
        norm.runningVariance.upload();
        Doubles y;
        o.x.each([&](int i, int c, int h, int w) {
            std::size_t f = o.feature(c, h, w);
            double hat = (norm.x.host[o.x.at(i, c, h, w)] - norm.runningMean.host[f]) /
                         std::sqrt(norm.runningVariance.host[f] + EPSILON);
            y.push_back(norm.scale.host[f] * hat + norm.bias.host[f]);
        });
        ok(cudnnBatchNormalizationForwardInference(norm.dnn, norm.mode(), &ONE, &ZERO, norm.x.tensor, norm.x.device,
                                                   norm.y.tensor, norm.y.device, norm.scale.tensor, norm.scale.device,
                                                   norm.bias.device, norm.runningMean.device,
                                                   norm.runningVariance.device, EPSILON),
           "inference");
        close(norm.y.get(), y, 2e-5, "y");
    });
}

CASE("normalisation's gradients equal finite differences of the formula") {
    for (Shape::Layout layout : LAYOUTS) {
        Norm norm({4, 2, 3, 3, layout}, true);
        const Oracle& o = norm.oracle;
        Values dy(norm.x.shape(), 11), dx(norm.x.shape(), 12), dScale(norm.scale.shape(), 13),
            dBias(norm.scale.shape(), 14);
        auto loss = [&] {  // sum of dy y, in double
            Oracle now(norm.x, norm.scale.shape(), true);
            double sum = 0;
            o.x.each([&](int i, int c, int h, int w) {
                std::size_t f = now.feature(c, h, w), at = o.x.at(i, c, h, w);
                double hat = (norm.x.host[at] - now.mean[f]) * now.inverse(f);
                sum += dy.host[at] * (norm.scale.host[f] * hat + norm.bias.host[f]);
            });
            return sum;
        };
        auto slope = [&](float& at) {
            float kept = at;
            at = kept + 1.0f / 256;
            double up = loss(), high = at;
            at = kept - 1.0f / 256;
            double down = loss(), low = at;
            at = kept;
            return (up - down) / (high - low);
        };
        Doubles dxs, scales, biases;
        o.x.each([&](int i, int c, int h, int w) { dxs.push_back(slope(norm.x.at(i, c, h, w))); });
        for (int c = 0; c < 2; c++)
            scales.push_back(slope(norm.scale.host[c])), biases.push_back(slope(norm.bias.host[c]));
        ok(norm.train(1, 0, 1, nullptr, nullptr, norm.savedMean.device, norm.savedInverse.device), "training");
        for (bool saved : {true, false}) {
            ok(cudnnBatchNormalizationBackward(
                   norm.dnn, 1, &ONE, &ZERO, &ONE, &ZERO, norm.x.tensor, norm.x.device, dy.tensor, dy.device, dx.tensor,
                   dx.device, norm.scale.tensor, norm.scale.device, dScale.device, dBias.device, EPSILON,
                   saved ? (float*)norm.savedMean.device : nullptr, saved ? (float*)norm.savedInverse.device : nullptr),
               "backward");
            close(dx.get(), dxs, 2e-3, "dx");
            close(dScale.get(), scales, 2e-3, "dscale");
            close(dBias.get(), biases, 2e-3, "dbias");
        }
    }
}

CASE("per-activation gradients equal the formula, and are added where beta says so") {
    Norm norm({6, 2, 3, 2, Shape::NHWC}, false);
    const Oracle& o = norm.oracle;
    Values dy(norm.x.shape(), 11), dx(norm.x.shape(), 12), dScale(norm.scale.shape(), 13),
        dBias(norm.scale.shape(), 14);
    Doubles sum(12, 0.0), product(12, 0.0), expected;
    auto hat = [&](int i, int c, int h, int w) {
        std::size_t f = o.feature(c, h, w);
        return (norm.x.host[o.x.at(i, c, h, w)] - o.mean[f]) * o.inverse(f);
    };
    o.x.each([&](int i, int c, int h, int w) {
        double g = dy.host[o.x.at(i, c, h, w)];
        sum[o.feature(c, h, w)] += g, product[o.feature(c, h, w)] += g * hat(i, c, h, w);
    });
    o.x.each([&](int i, int c, int h, int w) {
        std::size_t f = o.feature(c, h, w), at = o.x.at(i, c, h, w);
        double g = dy.host[at] - sum[f] / 6 - hat(i, c, h, w) * product[f] / 6;
        expected.push_back(norm.scale.host[f] * o.inverse(f) * g + dx.host[at]);
    });
    for (std::size_t f = 0; f < 12; f++) sum[f] += 2 * dBias.host[f], product[f] += 2 * dScale.host[f];
    float two = 2;
    ok(cudnnBatchNormalizationBackward(norm.dnn, 0, &ONE, &ONE, &ONE, &two, norm.x.tensor, norm.x.device, dy.tensor,
                                       dy.device, dx.tensor, dx.device, norm.scale.tensor, norm.scale.device,
                                       dScale.device, dBias.device, EPSILON, nullptr, nullptr),
       "backward");
    close(dx.get(), expected, 1e-5, "dx");
    close(dScale.get(), product, 1e-5, "dscale");
    close(dBias.get(), sum, 1e-5, "dbias");
}

CASE("the Ex calls want their spaces, keep the reserve between them, and refuse fusion for float") {
    Norm norm({4, 3, 5, 5, Shape::NHWC}, true);
    Activation relu(1, 0, 0);
    Values dy(norm.x.shape(), 1), dx(norm.x.shape(), 2), dScale(norm.scale.shape(), 3), dBias(norm.scale.shape(), 4);
    std::size_t bytes = 0, reserved = 0;
    Any x = norm.x.tensor, y = norm.y.tensor, p = norm.scale.tensor;
    ok(cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(norm.dnn, 2, 0, x, x, y, p, nullptr, &bytes),
       "workspace");
    ok(cudnnGetBatchNormalizationTrainingExReserveSpaceSize(norm.dnn, 2, 0, nullptr, x, &reserved), "reserve");
    isTrue(bytes % 2 == 1 && reserved % 2 == 1, "odd and not empty");
    for (int fused : {1, 2})
        equals(cudnnGetBatchNormalizationForwardTrainingExWorkspaceSize(norm.dnn, 2, fused, x, x, y, p, relu, &bytes),
               3003, "fused with an activation in float");
    Device workspace(bytes / 4 + 1), reserve(reserved / 4 + 1);
    auto forward = [&](std::size_t have, std::size_t kept) {
        return cudnnBatchNormalizationForwardTrainingEx(
            norm.dnn, 2, 0, &ONE, &ZERO, x, norm.x.device, nullptr, nullptr, y, norm.y.device, p, norm.scale.device,
            norm.bias.device, 1, norm.runningMean.device, norm.runningVariance.device, EPSILON, norm.savedMean.device,
            norm.savedInverse.device, nullptr, workspace, have, reserve, kept);
    };
    equals(forward(bytes - 1, reserved), 2000, "workspace too small");
    equals(forward(bytes, reserved - 1), 2000, "reserve too small");
    ok(forward(bytes, reserved), "forward");
    Floats ex = norm.y.get();
    ok(norm.train(1, 0, 1, nullptr, nullptr, nullptr, nullptr), "the plain call");
    isTrue(norm.y.get() == ex, "Ex differs from the plain call");
    ok(cudnnBatchNormalizationBackwardEx(
           norm.dnn, 2, 0, &ONE, &ZERO, &ONE, &ZERO, x, norm.x.device, nullptr, nullptr, dy.tensor, dy.device, nullptr,
           nullptr, dx.tensor, dx.device, p, norm.scale.device, norm.bias.device, dScale.device, dBias.device, EPSILON,
           norm.savedMean.device, norm.savedInverse.device, nullptr, workspace, bytes, reserve, reserved),
       "backward");
    ok(cuCtxSynchronize(), "the reserve space arrives as forward left it");
}

CASE("normalisation refuses halves of pairs, wrong parameters and a negative epsilon") {
    Norm norm({4, 3, 5, 5, Shape::NHWC}, true);
    float* some = norm.runningMean.device;
    equals(norm.train(1, 0, 1, some, nullptr, nullptr, nullptr), 2000, "running mean alone");
    equals(norm.train(1, 0, 1, nullptr, nullptr, nullptr, some), 2000, "saved inverse alone");
    equals(norm.train(1, 0, 1.5, nullptr, nullptr, nullptr, nullptr), 2000, "factor above 1");
    equals(norm.train(1, 0, 1, nullptr, nullptr, nullptr, nullptr, -1e-9), 2000, "epsilon below 0");
    norm.spatial = false;
    equals(norm.train(1, 0, 1, nullptr, nullptr, nullptr, nullptr), 2000, "parameters of the other mode");
    Tensor derived({1, 1, 1, 1, Shape::NCHW});
    int type, n, c, h, w, s[4];
    ok(cudnnDeriveBNTensorDescriptor(derived, norm.x.tensor, 1), "derive");
    ok(cudnnGetTensor4dDescriptor(derived, &type, &n, &c, &h, &w, s, s + 1, s + 2, s + 3), "get");
    isTrue(n == 1 && c == 3 && h == 1 && w == 1, "spatial: 1 x C x 1 x 1");
    ok(cudnnDeriveBNTensorDescriptor(derived, norm.x.tensor, 0), "derive");
    ok(cudnnGetTensor4dDescriptor(derived, &type, &n, &c, &h, &w, s, s + 1, s + 2, s + 3), "get");
    isTrue(n == 1 && c == 3 && h == 5 && w == 5, "per activation: 1 x C x H x W");
}
