#include "dnn_norm.h"

#include <cmath>

namespace softgpu::dnn {

Norm::Norm(int mode, const Tensor& x, const Tensor& parameters, double epsilon)
    : parameters(parameters), epsilon(epsilon) {
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

std::vector<float> inverseDeviation(const std::vector<double>& variance, double epsilon) {
    std::vector<float> result;
    for (double v : variance) result.push_back(float(1 / std::sqrt(v + epsilon)));
    return result;
}

void normalise(const Norm& norm, const float* x, const std::vector<float>& mean, const std::vector<float>& inverse,
               const Input& scale, const Input& bias, float* y) {
    std::size_t f = norm.features;
    for (std::size_t r = 0; r < norm.rows; r++)
        for (std::size_t j = 0; j < f; j++) y[r * f + j] = scale[j] * ((x[r * f + j] - mean[j]) * inverse[j]) + bias[j];
}

namespace {

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

}  // namespace

void Training::check() const {
    requireFloat(out), requireSameShape(in, out);
    requireData(x), requireData(y), requireData(scale), requireData(bias);
    require((runningMean == nullptr) == (runningVariance == nullptr), BAD_PARAM,
            "running mean and variance: both or none");
    require((savedMean == nullptr) == (savedInverse == nullptr), BAD_PARAM, "saved mean and inverse: both or none");
    require(factor >= 0 && factor <= 1, BAD_PARAM, "the averaging factor is outside [0, 1]");
}

void Training::operator()(Accessor& memory) const {
    Input from(memory, in, x), gamma(memory, norm.parameters, scale), beta(memory, norm.parameters, bias);
    Statistics s = statistics(norm, from.data());
    std::vector<float> mean(s.mean.begin(), s.mean.end()), inv = inverseDeviation(s.variance, norm.epsilon);
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

void Backward::check() const {
    requireFloat(gradient), requireFloat(out), requireSameShape(in, gradient), requireSameShape(in, out);
    requireData(x), requireData(dy), requireData(scale), requireData(dx), requireData(dScale), requireData(dBias);
    require((savedMean == nullptr) == (savedInverse == nullptr), BAD_PARAM, "saved mean and inverse: both or none");
}

void Backward::operator()(Accessor& memory) const {
    Input xs(memory, in, x), dys(memory, gradient, dy), gamma(memory, norm.parameters, scale);
    std::size_t f = norm.features;
    std::vector<float> mean(f), inv(f);
    if (savedMean == nullptr) {
        Statistics s = statistics(norm, xs.data());
        mean.assign(s.mean.begin(), s.mean.end()), inv = inverseDeviation(s.variance, norm.epsilon);
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

}  // namespace softgpu::dnn
