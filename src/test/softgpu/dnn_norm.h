// cuDNN's batch normalisation as it is computed.
//
// Normalised with the biased variance; the running variance takes the unbiased one; "inverse variance" is
// 1 / sqrt(variance + epsilon). Sums run in double over (pixels, features) in memory order.
#pragma once
#include "dnn.h"

namespace softgpu::dnn {

enum NormMode { PER_ACTIVATION, SPATIAL, SPATIAL_PERSISTENT };

// Statistics are taken over `rows` for each of `features`; both modes are this, with other sizes.
struct Norm {
    Tensor parameters;
    std::size_t rows, features;
    double epsilon;

    Norm(int mode, const Tensor& x, const Tensor& parameters, double epsilon);
};

std::vector<float> inverseDeviation(const std::vector<double>& variance, double epsilon);

void normalise(const Norm& norm, const float* x, const std::vector<float>& mean, const std::vector<float>& inverse,
               const Input& scale, const Input& bias, float* y);

struct Training {
    Norm norm;
    Blend blend;
    Tensor in, out;
    const void *x, *scale, *bias;
    void* y;
    double factor;
    void *runningMean, *runningVariance, *savedMean, *savedInverse;

    void check() const;
    void operator()(Accessor& memory) const;
};

// dx = scale inv (dy - mean(dy) - xhat mean(dy xhat)), with xhat = (x - mean) inv
struct Backward {
    Norm norm;
    Blend data, parameters;
    Tensor in, gradient, out;
    const void *x, *dy, *scale;
    void *dx, *dScale, *dBias;
    const void *savedMean, *savedInverse;

    void check() const;
    void operator()(Accessor& memory) const;
};

}  // namespace softgpu::dnn
